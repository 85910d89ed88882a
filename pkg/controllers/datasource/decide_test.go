// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package datasource

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	corev1 "k8s.io/api/core/v1"

	"goldenimage.dev/pkg/apis/cdi/v1beta1"
	"goldenimage.dev/test/gen"
)

const (
	name    = "fedora"
	image   = "fedora-aaaaaaaaaaaa"
	typeKey = "instancetype.kubevirt.io/default-instancetype"
)

func lost(claim *corev1.PersistentVolumeClaim) *corev1.PersistentVolumeClaim {
	claim.Status.Phase = corev1.ClaimLost
	return claim
}

func TestDecide(t *testing.T) {
	const yes, no = corev1.ConditionTrue, corev1.ConditionFalse
	toImage := gen.DataSource(name, gen.ToClaim(gen.Namespace, image))
	full := gen.Claim(image, gen.Populated())
	halfFull := gen.Claim(image, gen.Bound(), gen.WithAnnotation(v1beta1.AnnPopulationMethod, v1beta1.MethodDirect))
	in := func(phase v1beta1.DataVolumePhase) *v1beta1.DataVolume {
		return gen.DataVolume(image, gen.InPhase(phase))
	}
	for name, test := range map[string]struct {
		in   input
		want v1beta1.ConditionState
	}{
		"nothing": {
			input{source: gen.DataSource(name)},
			v1beta1.ConditionState{Status: no, Reason: "NoSource", Message: "No source PVC set"},
		},
		"a claim of a user's own": {
			input{source: toImage, claim: gen.Claim(image, gen.Bound())},
			v1beta1.ConditionState{Status: yes, Reason: "Ready", Message: "DataSource is ready to be consumed"},
		},
		"a complete import": {
			input{source: toImage, claim: full, volume: in(v1beta1.Succeeded)},
			v1beta1.ConditionState{Status: yes, Reason: "Ready", Message: "DataSource is ready to be consumed"},
		},
		"a complete import whose DataVolume is gone": {
			input{source: toImage, claim: full},
			v1beta1.ConditionState{Status: yes, Reason: "Ready", Message: "DataSource is ready to be consumed"},
		},
		"an import in progress": {
			input{source: toImage, claim: halfFull, volume: in(v1beta1.ImportInProgress)},
			v1beta1.ConditionState{Status: no, Reason: "ImportInProgress", Message: "Import DataVolume phase ImportInProgress"},
		},
		"an import without a claim yet": {
			input{source: toImage, volume: in(v1beta1.PhaseUnset)},
			v1beta1.ConditionState{Status: no, Reason: "Pending", Message: "Import DataVolume phase Pending"},
		},
		"an import that was given up": {
			input{source: toImage, claim: halfFull},
			v1beta1.ConditionState{Status: no, Reason: "NotPopulated", Message: "PVC does not hold a complete image: delete it and let it be made again"},
		},
		"no claim": {
			input{source: toImage},
			v1beta1.ConditionState{Status: no, Reason: "NotFound", Message: "PVC not found"},
		},
		"a succeeded import whose claim is gone": {
			input{source: toImage, volume: in(v1beta1.Succeeded)},
			v1beta1.ConditionState{Status: no, Reason: "NotFound", Message: "PVC not found"},
		},
		"a claim that waits for a volume": {
			input{source: toImage, claim: gen.Claim(image)},
			v1beta1.ConditionState{Status: no, Reason: "ClaimPending", Message: "PVC is not bound to a volume yet"},
		},
		"a claim that lost its volume": {
			input{source: toImage, claim: lost(gen.Claim(image))},
			v1beta1.ConditionState{Status: no, Reason: "ClaimLost", Message: "PVC has lost its volume: delete it and let it be made again"},
		},
		"a claim that is being deleted": {
			input{source: toImage, claim: gen.Claim(image, gen.Populated(), gen.BeingDeleted())},
			v1beta1.ConditionState{Status: no, Reason: "ClaimDeleted", Message: "PVC is being deleted"},
		},
		"a snapshot": {
			input{source: gen.DataSource(name, gen.ToSnapshot(gen.Namespace, image))},
			v1beta1.ConditionState{Status: no, Reason: "SnapshotNotSupported", Message: "This server cannot clone VolumeSnapshots: let the DataSource point to a PVC instead"},
		},
		"a pointer": {
			input{source: gen.DataSource("p", gen.ToSource("", name)), target: toImage, claim: full},
			v1beta1.ConditionState{Status: yes, Reason: "Ready", Message: "DataSource is ready to be consumed"},
		},
		"a pointer to nothing": {
			input{source: gen.DataSource("p", gen.ToSource("", name))},
			v1beta1.ConditionState{Status: no, Reason: "NotFound", Message: `datasources.cdi.kubevirt.io "fedora" not found`},
		},
		"a pointer to one that points nowhere": {
			input{source: gen.DataSource("p", gen.ToSource("", name)), target: gen.DataSource(name)},
			v1beta1.ConditionState{Status: no, Reason: "NoSource", Message: "No source PVC set"},
		},
		"a pointer to a pointer": {
			input{source: gen.DataSource("p", gen.ToSource("", name)), target: gen.DataSource(name, gen.ToSource("", "x"))},
			v1beta1.ConditionState{Status: no, Reason: "MaxReferenceDepthReached", Message: "DataSource reference chain exceeds maximum depth of 1"},
		},
		"a pointer to itself": {
			input{source: gen.DataSource(name, gen.ToSource(gen.Namespace, name))},
			v1beta1.ConditionState{Status: no, Reason: "SelfReference", Message: "DataSource cannot self-reference"},
		},
		"a pointer to another namespace": {
			input{source: gen.DataSource(name, gen.ToSource("elsewhere", name))},
			v1beta1.ConditionState{Status: no, Reason: "CrossNamespaceReference", Message: "DataSource cannot reference a DataSource in another namespace"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			got := decide(test.in)
			if diff := cmp.Diff(test.want, got.ready); diff != "" {
				t.Errorf("condition (-want +got):\n%s", diff)
			}
			want := v1beta1.DataSourceSource{}
			if test.want.Status == yes {
				want.PVC = &v1beta1.DataVolumeSourcePVC{Namespace: gen.Namespace, Name: image}
			}
			if diff := cmp.Diff(want, got.resolved); diff != "" {
				t.Errorf("resolved (-want +got):\n%s", diff)
			}
		})
	}
}

func TestLabels(t *testing.T) {
	const preference = "instancetype.kubevirt.io/default-preference"
	volume := gen.DataVolume(image, gen.InPhase(v1beta1.Succeeded), gen.WithLabel(preference, "fedora"), gen.WithLabel(typeKey, "of-volume"))
	claim := gen.Claim(image, gen.Populated(), gen.WithLabel(typeKey, "of-claim"), gen.WithLabel("team", "os"), gen.OfCron("cron"))
	for name, test := range map[string]struct {
		source *v1beta1.DataSource
		want   map[string]string
	}{
		"a user's own DataSource gets the image's labels": {
			gen.DataSource(name, gen.ToClaim(gen.Namespace, image)), map[string]string{preference: "fedora", typeKey: "of-claim"},
		},
		"a DataImportCron's gets them from there": {gen.DataSource(name, gen.ToClaim(gen.Namespace, image), gen.OfCron("cron")), nil},
	} {
		t.Run(name, func(t *testing.T) {
			got := decide(input{source: test.source, claim: claim, volume: volume})
			if diff := cmp.Diff(test.want, got.labels); diff != "" {
				t.Errorf("labels (-want +got):\n%s", diff)
			}
		})
	}
}
