// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package installation

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"goldenimage.dev/pkg/apis/cdi/v1beta1"
)

// verdict is what is to say of a CDI object.
type verdict struct {
	phase v1beta1.CDIPhase
	// states of the conditions, by their types.
	states map[v1beta1.CDIConditionType]v1beta1.ConditionState
}

// active returns the CDI object that counts, nil if there is none. It is the first that is not
// being deleted.
func active(all []*v1beta1.CDI) *v1beta1.CDI {
	there := living(all)
	if len(there) == 0 {
		return nil
	}
	return there[0]
}

// living returns the CDI objects that are not being deleted, the one that counts first: the
// oldest, but a stand-in after all others.
func living(all []*v1beta1.CDI) []*v1beta1.CDI {
	there := slices.DeleteFunc(slices.Clone(all), func(c *v1beta1.CDI) bool { return c.DeletionTimestamp != nil })
	slices.SortFunc(there, func(a, b *v1beta1.CDI) int {
		return cmp.Or(cmp.Compare(standIn(a), standIn(b)), a.CreationTimestamp.Compare(b.CreationTimestamp.Time), cmp.Compare(a.Name, b.Name))
	})
	return there
}

// standIn is 1 for the object that the server made for want of one and nobody configured: one
// that somebody else makes later counts before it.
func standIn(c *v1beta1.CDI) int {
	if c.Labels[v1beta1.LabelApp] == v1beta1.LabelAppValue && c.Spec.Config == nil {
		return 1
	}
	return 0
}

// judge returns what is to say of the CDI object of a name, which is among all.
func judge(name string, all []*v1beta1.CDI) verdict {
	there := living(all)
	v := verdict{phase: v1beta1.CDIPhaseDeployed, states: map[v1beta1.CDIConditionType]v1beta1.ConditionState{
		v1beta1.CDIAvailable:   {Status: corev1.ConditionTrue, Reason: ReasonDeployed, Message: messageDeployed},
		v1beta1.CDIProgressing: {Status: corev1.ConditionFalse, Reason: ReasonDeployed},
		v1beta1.CDIDegraded:    {Status: corev1.ConditionFalse, Reason: ReasonDeployed},
	}}
	if len(there) < 2 {
		return v
	}
	var others []string
	for _, other := range there[1:] {
		others = append(others, other.Name)
	}
	message := fmt.Sprintf("There are several CDI objects, of which %s counts: delete %s", there[0].Name, strings.Join(others, ", "))
	v.states[v1beta1.CDIDegraded] = v1beta1.ConditionState{Status: corev1.ConditionTrue, Reason: ReasonSeveral, Message: message}
	if name != there[0].Name {
		v.phase = v1beta1.CDIPhaseError
		v.states[v1beta1.CDIAvailable] = v1beta1.ConditionState{Status: corev1.ConditionFalse, Reason: ReasonSeveral, Message: message}
	}
	return v
}
