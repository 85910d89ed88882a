// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package installation

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"goldenimage.dev/pkg/apis/cdi/v1beta1"
	"goldenimage.dev/test/gen"
)

// installation returns a CDI object that was made some minutes after another.
func installation(name string, minutes int, change ...func(*v1beta1.CDI)) *v1beta1.CDI {
	c := &v1beta1.CDI{ObjectMeta: metav1.ObjectMeta{
		Name: name, CreationTimestamp: metav1.NewTime(gen.Epoch().Add(time.Duration(minutes) * time.Minute)),
	}}
	for _, f := range change {
		f(c)
	}
	return c
}

func beingDeleted(c *v1beta1.CDI) {
	c.DeletionTimestamp = new(metav1.NewTime(gen.Epoch()))
	c.Finalizers = []string{"test/finalizer"}
}

func TestActive(t *testing.T) {
	for name, test := range map[string]struct {
		all  []*v1beta1.CDI
		want string
	}{
		"none":                          {nil, "none"},
		"the only one":                  {[]*v1beta1.CDI{installation("a", 0)}, "a"},
		"the oldest":                    {[]*v1beta1.CDI{installation("a", 2), installation("b", 1), installation("c", 3)}, "b"},
		"the first by name of an age":   {[]*v1beta1.CDI{installation("b", 0), installation("a", 0)}, "a"},
		"the oldest that stays":         {[]*v1beta1.CDI{installation("a", 0, beingDeleted), installation("b", 1)}, "b"},
		"none if all are being removed": {[]*v1beta1.CDI{installation("a", 0, beingDeleted)}, "none"},
	} {
		t.Run(name, func(t *testing.T) {
			got := "none"
			if one := active(test.all); one != nil {
				got = one.Name
			}
			if got != test.want {
				t.Errorf("%s counts, want %s", got, test.want)
			}
		})
	}
}

func TestJudge(t *testing.T) {
	const several = "There are several CDI objects, of which a counts: delete b, c"
	all := []*v1beta1.CDI{installation("c", 3), installation("a", 1), installation("b", 2), installation("z", 0, beingDeleted)}
	yes := v1beta1.ConditionState{Status: corev1.ConditionTrue, Reason: "DeployCompleted", Message: "Deployment Completed"}
	no := v1beta1.ConditionState{Status: corev1.ConditionFalse, Reason: "DeployCompleted"}
	bad := v1beta1.ConditionState{Status: corev1.ConditionTrue, Reason: "SeveralInstallations", Message: several}
	unavailable := v1beta1.ConditionState{Status: corev1.ConditionFalse, Reason: "SeveralInstallations", Message: several}
	made := installation("cdi", 1)
	made.Labels = map[string]string{v1beta1.LabelApp: v1beta1.LabelAppValue}
	theirs, configured := installation("theirs", 2), made.DeepCopy()
	configured.Spec.Config = &v1beta1.CDIConfigSpec{}
	standIn := v1beta1.ConditionState{Status: corev1.ConditionTrue, Reason: "SeveralInstallations", Message: "There are several CDI objects, of which theirs counts: delete cdi"}
	late := standIn
	late.Message = "There are several CDI objects, of which cdi counts: delete theirs"
	for name, test := range map[string]struct {
		of                               string
		all                              []*v1beta1.CDI
		phase                            v1beta1.CDIPhase
		available, progressing, degraded v1beta1.ConditionState
	}{
		"the only one":                   {"a", all[1:2], v1beta1.CDIPhaseDeployed, yes, no, no},
		"the only one that is not going": {"a", []*v1beta1.CDI{all[1], all[3]}, v1beta1.CDIPhaseDeployed, yes, no, no},
		"the one that counts":            {"a", all, v1beta1.CDIPhaseDeployed, yes, no, bad},
		"another":                        {"b", all, v1beta1.CDIPhaseError, unavailable, no, bad},
		"one that the server made for want of one gives way": {"theirs", []*v1beta1.CDI{made, theirs}, v1beta1.CDIPhaseDeployed, yes, no, standIn},
		"not if it was configured":                           {"cdi", []*v1beta1.CDI{configured, theirs}, v1beta1.CDIPhaseDeployed, yes, no, late},
		"yet another, of which there may be":                 {"c", all, v1beta1.CDIPhaseError, unavailable, no, bad},
	} {
		t.Run(name, func(t *testing.T) {
			want := verdict{phase: test.phase, states: map[v1beta1.CDIConditionType]v1beta1.ConditionState{
				v1beta1.CDIAvailable: test.available, v1beta1.CDIProgressing: test.progressing, v1beta1.CDIDegraded: test.degraded,
			}}
			if diff := cmp.Diff(want, judge(test.of, test.all), cmp.AllowUnexported(verdict{})); diff != "" {
				t.Errorf("verdict (-want +got):\n%s", diff)
			}
		})
	}
}
