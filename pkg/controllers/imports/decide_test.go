// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package imports

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	corev1 "k8s.io/api/core/v1"

	"goldenimage.dev/pkg/apis/cdi/v1beta1"
	"goldenimage.dev/test/gen"
)

const (
	cronName = "cron"
	importA  = "fedora-aaaaaaaaaaaa"
	importB  = "fedora-bbbbbbbbbbbb"
)

// cluster holds the objects of a test by name.
type cluster struct {
	volumes []*v1beta1.DataVolume
	claims  []*corev1.PersistentVolumeClaim
	foreign string
}

func (c cluster) candidate(name, digest string) candidate {
	found := candidate{name: name, digest: digest, foreign: c.foreign}
	for _, v := range c.volumes {
		if v.Name == name {
			found.volume = v
		}
	}
	for _, v := range c.claims {
		if v.Name == name {
			found.claim = v
		}
	}
	return found
}

func (c cluster) input(cron *v1beta1.DataImportCron) input {
	in := input{cron: cron, digest: cron.Annotations[v1beta1.AnnSourceDesiredDigest]}
	if len(cron.Status.CurrentImports) > 0 {
		in.current = c.candidate(cron.Status.CurrentImports[0].DataVolumeName, cron.Status.CurrentImports[0].Digest)
	}
	if in.digest != "" {
		in.usual = c.candidate(importName(cron, in.digest, ""), in.digest)
		if request := cron.Annotations[v1beta1.AnnForcedBy]; request != "" {
			in.beside = c.candidate(importName(cron, in.digest, request), in.digest)
		}
	}
	return in
}

// verdict is what tests look at of a decision.
type verdict struct {
	Current, Remove      string
	Create, Adopt, Stuck bool
	Reason               string
	Status               corev1.ConditionStatus
	Attempts             int
	Again                time.Duration
}

func judge(d decision, now time.Time) verdict {
	v := verdict{
		Create: d.create, Adopt: d.adopt, Stuck: d.stuck, Reason: d.progressing.Reason, Status: d.progressing.Status, Attempts: d.attempts,
	}
	if d.current != nil {
		v.Current = d.current.DataVolumeName
	}
	if d.remove != nil {
		v.Remove = d.remove.Name
	}
	if !d.again.IsZero() {
		v.Again = d.again.Sub(now)
	}
	return v
}

type modifiers = []gen.Modifier

func volume(name string, more ...gen.Modifier) *v1beta1.DataVolume {
	return gen.DataVolume(name, append(modifiers{gen.OfCron(cronName)}, more...)...)
}

func claim(name string, more ...gen.Modifier) *corev1.PersistentVolumeClaim {
	return gen.Claim(name, append(modifiers{gen.OfCron(cronName), gen.OwnedBy(volume(name))}, more...)...)
}

func lost(claim *corev1.PersistentVolumeClaim) *corev1.PersistentVolumeClaim {
	claim.Status.Phase = corev1.ClaimLost
	return claim
}

func TestDecide(t *testing.T) {
	now := gen.Epoch()
	a, b := gen.Digest("a"), gen.Digest("b")
	const yes, no = corev1.ConditionTrue, corev1.ConditionFalse
	inProgress := gen.InPhase(v1beta1.ImportInProgress)
	succeeded := gen.InPhase(v1beta1.Succeeded)
	failed := gen.InPhase(v1beta1.Failed)
	tooSmall := gen.Running(no, "VolumeTooSmall", "The image is larger.", now.Add(-30*time.Second))
	for name, test := range map[string]struct {
		cron    modifiers
		cluster cluster
		want    verdict
	}{
		"without a digest nothing is imported": {
			want: verdict{Reason: ReasonNoImport, Status: no},
		},
		"without a digest what was deleted is not imported again": {
			cron: modifiers{gen.Imports(importA, a)}, want: verdict{Reason: ReasonNoImport, Status: no},
		},
		"a first digest is imported": {
			cron: modifiers{gen.Desires(a)}, want: verdict{Current: importA, Create: true, Reason: ReasonImportScheduled, Status: no},
		},
		"an import that was made before the status was written is found": {
			cron:    modifiers{gen.Desires(a)},
			cluster: cluster{volumes: []*v1beta1.DataVolume{volume(importA)}},
			want:    verdict{Current: importA, Reason: ReasonImportScheduled, Status: no},
		},
		"an import in progress": {
			cron:    modifiers{gen.Desires(a), gen.Imports(importA, a)},
			cluster: cluster{volumes: []*v1beta1.DataVolume{volume(importA, inProgress, gen.Running(yes, "Pod is running", "", now))}},
			want:    verdict{Current: importA, Reason: ReasonImportProgressing, Status: yes},
		},
		"an import in any other phase shows it": {
			cron:    modifiers{gen.Desires(a), gen.Imports(importA, a)},
			cluster: cluster{volumes: []*v1beta1.DataVolume{volume(importA, gen.InPhase(v1beta1.PVCBound))}},
			want:    verdict{Current: importA, Reason: "PVCBound", Status: no},
		},
		"an import that is stuck says why": {
			cron:    modifiers{gen.Desires(a), gen.Imports(importA, a)},
			cluster: cluster{volumes: []*v1beta1.DataVolume{volume(importA, gen.InPhase(v1beta1.Pending), gen.Running(no, "StorageClassNotFound", "x", now))}},
			want:    verdict{Current: importA, Stuck: true, Reason: "StorageClassNotFound", Status: no},
		},
		"an import that succeeded": {
			cron: modifiers{gen.Desires(a), gen.Imports(importA, a)},
			cluster: cluster{
				volumes: []*v1beta1.DataVolume{volume(importA, succeeded)}, claims: []*corev1.PersistentVolumeClaim{claim(importA, gen.Populated())},
			},
			want: verdict{Current: importA, Reason: ReasonNoImport, Status: no},
		},
		"an import whose claim was deleted is made again": {
			cron:    modifiers{gen.Desires(a), gen.Imports(importA, a)},
			cluster: cluster{volumes: []*v1beta1.DataVolume{volume(importA, succeeded)}},
			want:    verdict{Current: importA, Remove: importA, Reason: ReasonImportScheduled, Status: no},
		},
		"an import whose claim lost its volume is made again": {
			cron: modifiers{gen.Desires(a), gen.Imports(importA, a)},
			cluster: cluster{
				volumes: []*v1beta1.DataVolume{volume(importA, succeeded)}, claims: []*corev1.PersistentVolumeClaim{lost(claim(importA, gen.Populated()))},
			},
			want: verdict{Current: importA, Remove: importA, Reason: ReasonImportScheduled, Status: no},
		},
		"an import that was deleted with its claim is made again": {
			cron: modifiers{gen.Desires(a), gen.Imports(importA, a)},
			want: verdict{Current: importA, Create: true, Reason: ReasonImportScheduled, Status: no},
		},
		"an import that is being deleted is waited for": {
			cron:    modifiers{gen.Desires(a), gen.Imports(importA, a)},
			cluster: cluster{volumes: []*v1beta1.DataVolume{volume(importA, succeeded, gen.BeingDeleted())}},
			want:    verdict{Current: importA, Reason: ReasonImportScheduled, Status: no},
		},
		"a claim that is left of an unfinished import is waited for": {
			cron:    modifiers{gen.Desires(a), gen.Imports(importA, a)},
			cluster: cluster{claims: []*corev1.PersistentVolumeClaim{claim(importA, gen.Bound())}},
			want:    verdict{Current: importA, Reason: ReasonImportScheduled, Status: no},
		},
		"a complete claim without a DataVolume is an import": {
			cron:    modifiers{gen.Desires(a)},
			cluster: cluster{claims: []*corev1.PersistentVolumeClaim{claim(importA, gen.Populated())}},
			want:    verdict{Current: importA, Reason: ReasonNoImport, Status: no},
		},
		"a bound claim of unknown origin is adopted": {
			cron:    modifiers{gen.Desires(a)},
			cluster: cluster{claims: []*corev1.PersistentVolumeClaim{gen.Claim(importA, gen.Bound())}},
			want:    verdict{Current: importA, Adopt: true, Reason: ReasonNoImport, Status: no},
		},
		"a pending claim of unknown origin is in the way": {
			cron:    modifiers{gen.Desires(a)},
			cluster: cluster{claims: []*corev1.PersistentVolumeClaim{gen.Claim(importA)}},
			want:    verdict{Current: importA, Stuck: true, Reason: ReasonClaimExists, Status: no},
		},
		"a DataVolume without a label is adopted": {
			cron:    modifiers{gen.Desires(a)},
			cluster: cluster{volumes: []*v1beta1.DataVolume{gen.DataVolume(importA, inProgress)}},
			want:    verdict{Current: importA, Adopt: true, Reason: ReasonImportProgressing, Status: yes},
		},
		"another cron's import is in the way": {
			cron:    modifiers{gen.Desires(a)},
			cluster: cluster{foreign: "other", volumes: []*v1beta1.DataVolume{gen.DataVolume(importA, gen.OfCron("other"))}},
			want:    verdict{Stuck: true, Reason: ReasonNameTaken, Status: no},
		},
		"a newer digest waits for an import that gets on": {
			cron:    modifiers{gen.Desires(b), gen.Imports(importA, a)},
			cluster: cluster{volumes: []*v1beta1.DataVolume{volume(importA, inProgress)}},
			want:    verdict{Reason: ReasonImportProgressing, Status: yes},
		},
		"a newer digest waits for an import to be published": {
			cron: modifiers{gen.Desires(b), gen.Imports(importA, a)},
			cluster: cluster{
				volumes: []*v1beta1.DataVolume{volume(importA, succeeded)}, claims: []*corev1.PersistentVolumeClaim{claim(importA, gen.Populated())},
			},
			want: verdict{Reason: ReasonNoImport, Status: no},
		},
		"a newer digest follows one that was published": {
			cron: modifiers{gen.Desires(b), gen.Imports(importA, a), gen.Published(importA)},
			cluster: cluster{
				volumes: []*v1beta1.DataVolume{volume(importA, succeeded)}, claims: []*corev1.PersistentVolumeClaim{claim(importA, gen.Populated())},
			},
			want: verdict{Current: importB, Create: true, Reason: ReasonImportScheduled, Status: no},
		},
		"a newer digest replaces an import that failed": {
			cron:    modifiers{gen.Desires(b), gen.Imports(importA, a)},
			cluster: cluster{volumes: []*v1beta1.DataVolume{volume(importA, failed)}},
			want:    verdict{Current: importB, Remove: importA, Create: true, Reason: ReasonImportScheduled, Status: no},
		},
		"a newer digest replaces an import that is stuck": {
			cron:    modifiers{gen.Desires(b), gen.Imports(importA, a)},
			cluster: cluster{volumes: []*v1beta1.DataVolume{volume(importA, gen.InPhase(v1beta1.ImportScheduled), gen.Running(no, "ImagePullFailed", "x", now))}},
			want:    verdict{Current: importB, Remove: importA, Create: true, Reason: ReasonImportScheduled, Status: no},
		},
		"a newer digest replaces an import that never began": {
			cron:    modifiers{gen.Desires(b), gen.Imports(importA, a)},
			cluster: cluster{volumes: []*v1beta1.DataVolume{volume(importA, gen.InPhase(v1beta1.Pending))}},
			want:    verdict{Current: importB, Remove: importA, Create: true, Reason: ReasonImportScheduled, Status: no},
		},
		"a newer digest replaces an import whose claim was deleted": {
			cron:    modifiers{gen.Desires(b), gen.Imports(importA, a)},
			cluster: cluster{volumes: []*v1beta1.DataVolume{volume(importA, succeeded)}},
			want:    verdict{Current: importB, Remove: importA, Create: true, Reason: ReasonImportScheduled, Status: no},
		},
		"an older digest comes back from what was kept": {
			cron:    modifiers{gen.Desires(a), gen.Imports(importB, b), gen.Published(importB)},
			cluster: cluster{claims: []*corev1.PersistentVolumeClaim{claim(importA, gen.Populated()), claim(importB, gen.Populated())}},
			want:    verdict{Current: importA, Reason: ReasonNoImport, Status: no},
		},
		"a failed import is left alone for a minute": {
			cron:    modifiers{gen.Desires(a), gen.Imports(importA, a)},
			cluster: cluster{volumes: []*v1beta1.DataVolume{volume(importA, failed, tooSmall)}},
			want:    verdict{Current: importA, Stuck: true, Reason: "VolumeTooSmall", Status: no, Again: 30 * time.Second},
		},
		"a failed import is left alone longer each time": {
			cron:    modifiers{gen.Desires(a), gen.Imports(importA, a), gen.WithAnnotation(AnnImportAttempts, importA+"/3")},
			cluster: cluster{volumes: []*v1beta1.DataVolume{volume(importA, failed, tooSmall)}},
			want:    verdict{Current: importA, Stuck: true, Reason: "VolumeTooSmall", Status: no, Again: 8*time.Minute - 30*time.Second},
		},
		"a failed import is made anew": {
			cron: modifiers{gen.Desires(a), gen.Imports(importA, a), gen.WithAnnotation(AnnImportAttempts, "fedora-other/7")},
			cluster: cluster{volumes: []*v1beta1.DataVolume{
				volume(importA, failed, gen.Running(no, "VolumeTooSmall", "x", now.Add(-time.Minute))),
			}},
			want: verdict{Current: importA, Remove: importA, Attempts: 1, Stuck: true, Reason: "VolumeTooSmall", Status: no},
		},
		"a failed import without a condition counts from its creation": {
			cron:    modifiers{gen.Desires(a), gen.Imports(importA, a)},
			cluster: cluster{volumes: []*v1beta1.DataVolume{volume(importA, failed, gen.CreatedAt(now.Add(-time.Hour)))}},
			want:    verdict{Current: importA, Remove: importA, Attempts: 1, Stuck: true, Reason: ReasonImportFailed, Status: no},
		},
	} {
		t.Run(name, func(t *testing.T) {
			in := test.cluster.input(gen.DataImportCron(cronName, test.cron...))
			if diff := cmp.Diff(test.want, judge(decide(in, now), now)); diff != "" {
				t.Errorf("decision (-want +got):\n%s", diff)
			}
		})
	}
}

func TestForce(t *testing.T) {
	a := gen.Digest("a")
	forced := gen.WithAnnotation(v1beta1.AnnForcedBy, "r1")
	beside := importName(gen.DataImportCron(cronName), a, "r1")
	done := func(name string, more ...gen.Modifier) cluster {
		return cluster{
			volumes: []*v1beta1.DataVolume{volume(name, append(more, gen.InPhase(v1beta1.Succeeded))...)},
			claims:  []*corev1.PersistentVolumeClaim{claim(name, gen.Populated())},
		}
	}
	for name, test := range map[string]struct {
		cron    modifiers
		cluster cluster
		current string
		create  bool
	}{
		"a first import has the usual name":               {cluster: cluster{}, current: importA, create: true},
		"what is published is imported beside":            {cron: modifiers{gen.Imports(importA, a), gen.Published(importA)}, cluster: done(importA), current: beside, create: true},
		"what the request made is not made again":         {cron: modifiers{gen.Imports(importA, a), gen.Published(importA)}, cluster: done(importA, forced), current: importA},
		"what was made beside stays current":              {cron: modifiers{gen.Imports(beside, a), gen.Published(beside)}, cluster: done(beside), current: beside},
		"what was made beside and deleted is made again":  {cron: modifiers{gen.Imports(beside, a), gen.Published(beside)}, cluster: done(importA), current: beside, create: true},
		"what was made beside before a crash is found":    {cron: modifiers{gen.Imports(importA, a), gen.Published(importA)}, cluster: both(done(importA), done(beside)), current: beside},
		"an import in progress is let finish":             {cron: modifiers{gen.Imports(importA, a)}, cluster: cluster{volumes: []*v1beta1.DataVolume{volume(importA, gen.InPhase(v1beta1.ImportInProgress))}}},
		"an import that failed gives way to a forced one": {cron: modifiers{gen.Imports(importA, a)}, cluster: cluster{volumes: []*v1beta1.DataVolume{volume(importA, gen.InPhase(v1beta1.Failed))}}, current: beside, create: true},
	} {
		t.Run(name, func(t *testing.T) {
			in := test.cluster.input(gen.DataImportCron(cronName, append(test.cron, gen.Desires(a), forced)...))
			got := judge(decide(in, gen.Epoch()), gen.Epoch())
			if got.Current != test.current || got.Create != test.create {
				t.Errorf("decided %+v, want current %q, create %t", got, test.current, test.create)
			}
		})
	}
}

func both(a, b cluster) cluster {
	return cluster{volumes: append(a.volumes, b.volumes...), claims: append(a.claims, b.claims...)}
}

func TestPause(t *testing.T) {
	for attempts, want := range map[int]time.Duration{0: time.Minute, 1: 2 * time.Minute, 5: 32 * time.Minute, 6: time.Hour, 11: time.Hour, 1 << 40: time.Hour} {
		if got := pause(attempts); got != want {
			t.Errorf("pause after %d attempts is %s, want %s", attempts, got, want)
		}
	}
}

func TestImportName(t *testing.T) {
	long := gen.DataImportCron(cronName, gen.Manages(strings.Repeat("x", 300)))
	for name, test := range map[string]struct {
		cron            *v1beta1.DataImportCron
		digest, request string
		want            string
	}{
		"an image":  {gen.DataImportCron(cronName), gen.Digest("a"), "", importA},
		"a claim":   {gen.DataImportCron(cronName), "uid:1b4e28ba-2fa1-11d2-883f-0016d3cca427", "", "fedora-1b4e28ba-2fa"},
		"forced":    {gen.DataImportCron(cronName), gen.Digest("a"), "r1", importA + "-" + hash("r1")},
		"very long": {long, gen.Digest("a"), "", strings.Repeat("x", 233) + "-" + hash(long.Spec.ManagedDataSource) + "-aaaaaaaaaaaa"},
	} {
		t.Run(name, func(t *testing.T) {
			got := importName(test.cron, test.digest, test.request)
			if diff := cmp.Diff(test.want, got); diff != "" || len(got) > maxName {
				t.Errorf("name of %d characters (-want +got):\n%s", len(got), diff)
			}
		})
	}
}

func TestCheckDigest(t *testing.T) {
	image := gen.DataImportCron(cronName)
	other := gen.DataImportCron(cronName, gen.WithSource(v1beta1.DataVolumeSource{PVC: &v1beta1.DataVolumeSourcePVC{}}))
	for name, test := range map[string]struct {
		cron   *v1beta1.DataImportCron
		digest string
		ok     bool
	}{
		"a whole digest of an image":     {image, gen.Digest("a"), true},
		"a short digest of an image":     {image, "sha256:aaaaaaaaaaaa", false},
		"an unknown algorithm":           {image, "md5:aaaaaaaaaaaaaaaaaaaa", false},
		"a UID of an image":              {image, "uid:1b4e28ba-2fa1-11d2-883f-0016d3cca427", false},
		"a UID of a claim":               {other, "uid:1b4e28ba-2fa1-11d2-883f-0016d3cca427", true},
		"a UID that no name can be from": {other, "uid:1b4e28ba---------", false},
		"a short digest":                 {other, "sha256:aaaaaaaaaaa", false},
		"upper case":                     {other, "sha256:AAAAAAAAAAAA", false},
		"something hostile":              {other, "sha256:" + strings.Repeat("../", 1000), false},
	} {
		t.Run(name, func(t *testing.T) {
			err := checkDigest(test.cron, test.digest)
			if (err == nil) != test.ok {
				t.Errorf("error %v", err)
			}
			if err != nil && len(err.Error()) > 400 {
				t.Errorf("error of %d characters", len(err.Error()))
			}
		})
	}
}
