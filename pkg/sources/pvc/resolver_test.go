// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package pvc

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	corelisters "k8s.io/client-go/listers/core/v1"
	"k8s.io/client-go/tools/cache"

	"goldenimage.dev/pkg/apis/cdi/v1beta1"
	cdilisters "goldenimage.dev/pkg/generated/listers/cdi/v1beta1"
	"goldenimage.dev/pkg/sources"
	"goldenimage.dev/pkg/sources/sourcestest"
	"goldenimage.dev/test/gen"
)

const uid = "1b4e28ba-2fa1-11d2-883f-0016d3cca427"

// A cluster is what the listers hold.
type cluster struct {
	claims, volumes cache.Indexer
}

func newCluster(t *testing.T, objects ...metav1.Object) cluster {
	t.Helper()
	index := func() cache.Indexer {
		return cache.NewIndexer(cache.MetaNamespaceKeyFunc, cache.Indexers{cache.NamespaceIndex: cache.MetaNamespaceIndexFunc})
	}
	c := cluster{claims: index(), volumes: index()}
	for _, obj := range objects {
		c.put(t, obj)
	}
	return c
}

func (c cluster) put(t *testing.T, obj metav1.Object) {
	t.Helper()
	into := c.claims
	if _, ok := obj.(*v1beta1.DataVolume); ok {
		into = c.volumes
	}
	if err := into.Update(obj); err != nil {
		t.Fatal(err)
	}
}

// resolver takes for complete what is bound and has no DataVolume, or one that succeeded.
func (c cluster) resolver(synced ...cache.InformerSynced) *Resolver {
	return NewResolver(Config{
		Claims: corelisters.NewPersistentVolumeClaimLister(c.claims), Volumes: cdilisters.NewDataVolumeLister(c.volumes), Synced: synced,
		Complete: func(volume *v1beta1.DataVolume, claim *corev1.PersistentVolumeClaim) bool {
			return claim.Status.Phase == corev1.ClaimBound && (volume == nil || volume.Status.Phase == v1beta1.Succeeded)
		},
	})
}

func TestContract(t *testing.T) {
	sourcestest.Run(t, func(t *testing.T) sourcestest.Fixture {
		c := newCluster(t, gen.Claim("disk", gen.Bound(), gen.WithUID(uid)))
		return sourcestest.Fixture{
			Resolver: c.resolver(), Location: gen.Namespace + "/disk", Missing: gen.Namespace + "/gone",
			Change: func() { c.put(t, gen.Claim("disk", gen.Bound(), gen.WithUID("another"))) },
			Cannot: map[string]string{
				"WrongAccess": "claims are read with the server's own permissions",
				"Silence":     "claims are read from a cache in this process",
				"Cut":         "claims are read from a cache in this process",
				"Oversize":    "claims are read from a cache in this process",
			},
		}
	})
}

func TestResolve(t *testing.T) {
	const location = gen.Namespace + "/disk"
	lost := gen.Claim("disk")
	lost.Status.Phase = corev1.ClaimLost
	tests := map[string]struct {
		location string
		objects  []metav1.Object
		digest   string
		// kind and message of the error if there is no digest.
		kind    sources.Kind
		message string
	}{
		"a claim that is complete": {
			location: location, objects: []metav1.Object{gen.Claim("disk", gen.Bound(), gen.WithUID(uid))}, digest: "uid:" + uid,
		},
		"one whose DataVolume succeeded": {
			location: location, digest: "uid:" + uid,
			objects: []metav1.Object{gen.Claim("disk", gen.Bound(), gen.WithUID(uid)), gen.DataVolume("disk", gen.InPhase(v1beta1.Succeeded))},
		},
		"one of another namespace": {
			location: "other/disk", digest: "uid:" + uid,
			objects: []metav1.Object{gen.Claim("disk", gen.Bound()), gen.Claim("disk", gen.InNamespace("other"), gen.Bound(), gen.WithUID(uid))},
		},
		"one whose DataVolume is at work": {
			location: location, objects: []metav1.Object{gen.Claim("disk", gen.Bound()), gen.DataVolume("disk", gen.InPhase(v1beta1.ImportInProgress))},
			kind: sources.Transient, message: `PVC golden-images/disk is not complete: its DataVolume is in phase "ImportInProgress"`,
		},
		"one that is pending": {
			location: location, objects: []metav1.Object{gen.Claim("disk")},
			kind: sources.Transient, message: "PVC golden-images/disk is not complete: it is Pending",
		},
		"one that is being deleted": {
			location: location, objects: []metav1.Object{gen.Claim("disk", gen.Bound(), gen.BeingDeleted())},
			kind: sources.Transient, message: "PVC golden-images/disk is being deleted",
		},
		"one that is lost": {
			location: location, objects: []metav1.Object{lost},
			kind: sources.Transient, message: "PVC golden-images/disk has lost its volume: delete it and let it be made again",
		},
		"one that is not there": {
			location: location, kind: sources.NotFound, message: "PVC golden-images/disk does not exist: create it",
		},
		"no namespace":    {location: "/disk", kind: sources.Invalid, message: `"/disk" does not name a PVC: give its namespace and name`},
		"no name":         {location: "golden-images/", kind: sources.Invalid, message: `"golden-images/" does not name a PVC: give its namespace and name`},
		"a bare name":     {location: "disk", kind: sources.Invalid, message: `"disk" does not name a PVC: give its namespace and name`},
		"more than names": {location: "a/b/c", kind: sources.Invalid, message: `"a/b/c" does not name a PVC: give its namespace and name`},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := newCluster(t, test.objects...).resolver().Resolve(t.Context(), sources.Query{Location: test.location})
			if test.digest != "" {
				if want := (sources.Revision{Digest: test.digest, Location: test.location}); err != nil || got != want {
					t.Errorf("got %+v %v, want %+v", got, err, want)
				}
				return
			}
			var typed *sources.Error
			if !errors.As(err, &typed) || typed.Kind != test.kind || typed.Message != test.message || got.Digest != "" {
				t.Errorf("got %+v %v, want %s %q", got, err, test.kind, test.message)
			}
		})
	}
}

func TestResolveWaitsForTheCaches(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t)
		began := time.Now()
		filled := func() bool {
			if time.Since(began) < time.Second {
				return false
			}
			c.put(t, gen.Claim("disk", gen.Bound(), gen.WithUID(uid)))
			return true
		}
		if got, err := c.resolver(filled).Resolve(t.Context(), sources.Query{Location: gen.Namespace + "/disk"}); err != nil || got.Digest != "uid:"+uid {
			t.Errorf("got %+v %v", got, err)
		}

		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		_, err := c.resolver(func() bool { return false }).Resolve(ctx, sources.Query{Location: gen.Namespace + "/disk"})
		if sources.KindOf(err) != sources.Transient || !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "golden-images/disk") {
			t.Errorf("got %v", err)
		}
	})
}
