// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package volume

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	authorizationv1 "k8s.io/api/authorization/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	clienttesting "k8s.io/client-go/testing"

	"goldenimage.dev/pkg/apis/cdi/requester"
	"goldenimage.dev/pkg/apis/cdi/v1beta1"
	"goldenimage.dev/test/gen"
)

const (
	images = "os-images"
	// refusal is how the condition Running of a clone from images begins that alice may not have.
	refusal = "NotAuthorized: User alice has insufficient permissions in clone source namespace os-images: " +
		"create on datavolumes/source (ClusterRole cdi.kubevirt.io:clone-sourcer) or on pods is needed there"
	nobody = "NotAuthorized: It is not known who asked for a clone from namespace os-images"
)

// reviews answer in place of Kubernetes.
type reviews struct {
	// granted to alice, as namespace/resource/subresource/name; an empty name is any.
	granted []string
	// err fails all.
	err error
	// asked are those that were.
	asked []string
}

// answer lets reviews answer in a world.
func (r *reviews) answer(w *world) {
	w.kube.PrependReactor("create", "subjectaccessreviews", func(action clienttesting.Action) (bool, runtime.Object, error) {
		review := action.(clienttesting.CreateAction).GetObject().(*authorizationv1.SubjectAccessReview).DeepCopy()
		to := review.Spec.ResourceAttributes
		extra := slices.Sorted(maps.Keys(review.Spec.Extra))
		r.asked = append(r.asked, fmt.Sprintf("%s %s %v %v: %s %s %s/%s/%s %s", review.Spec.User, review.Spec.UID, review.Spec.Groups, extra,
			to.Verb, to.Namespace, to.Group, to.Resource, to.Subresource, to.Name))
		for _, name := range []string{"", to.Name} {
			grant := fmt.Sprintf("%s/%s/%s/%s", to.Namespace, to.Resource, to.Subresource, name)
			review.Status.Allowed = review.Status.Allowed || slices.Contains(r.granted, grant)
		}
		return true, review, r.err
	})
}

func claimIn(namespace, name string) requester.Source {
	return requester.Source{Kind: requester.Claim, Namespace: namespace, Name: name}
}

// forge replaces the note of who asked; "" removes it.
func forge(note string) func(*v1beta1.DataVolume) {
	return func(dv *v1beta1.DataVolume) {
		delete(dv.Annotations, v1beta1.AnnCloneRequester)
		if note != "" {
			dv.Annotations[v1beta1.AnnCloneRequester] = note
		}
	}
}

// refTo makes a DataVolume refer to a DataSource in a namespace.
func refTo(namespace string) func(*v1beta1.DataVolume) {
	return func(dv *v1beta1.DataVolume) { dv.Spec.SourceRef.Namespace = &namespace }
}

func in(namespace string, source *v1beta1.DataSource) *v1beta1.DataSource {
	source.Namespace = namespace
	return source
}

// nearClaim is a complete claim in the DataVolume's own namespace.
func nearClaim() []runtime.Object {
	const volume, uid = "pv-near", "near-uid"
	objects := sourceClaim(gen.Namespace, "near")
	claim, pv := objects[0].(*corev1.PersistentVolumeClaim), objects[1].(*corev1.PersistentVolume)
	claim.UID, claim.Spec.VolumeName = uid, volume
	pv.Name, pv.Spec.ClaimRef.UID = volume, uid
	return objects
}

func TestWhoMayHaveAClone(t *testing.T) {
	const yes, no = corev1.ConditionTrue, corev1.ConditionFalse
	shot := v1beta1.DataSourceSource{Snapshot: &v1beta1.DataVolumeSourceSnapshot{Namespace: images, Name: "s"}}
	ready := dataSource("fedora", yes, toClaim(images, "src"))
	tests := map[string]struct {
		objects []runtime.Object
		granted []string
		// want is how the condition Running begins; "" means that the volume is filled.
		want string
	}{
		"what was allowed at first is": {objects: []runtime.Object{cloneVolume("csi", images, "src")}},
		"what was allowed of a DataSource is": {
			objects: []runtime.Object{refVolume(askedFor(claimIn(images, "src"))), ready},
		},
		"what is allowed now is, by datavolumes/source": {
			objects: []runtime.Object{refVolume(askedFor()), ready}, granted: []string{images + "/datavolumes/source/src"},
		},
		"what is allowed now is, by pods": {
			objects: []runtime.Object{refVolume(askedFor()), ready}, granted: []string{images + "/pods//"},
		},
		"what nobody allows is not": {objects: []runtime.Object{refVolume(askedFor()), ready}, want: refusal},
		"a permission for another claim does not help": {
			objects: []runtime.Object{refVolume(askedFor()), ready}, granted: []string{images + "/datavolumes/source/other"}, want: refusal,
		},
		"a permission in another namespace does not help": {
			objects: []runtime.Object{refVolume(askedFor()), ready}, granted: []string{gen.Namespace + "/pods//"}, want: refusal,
		},
		"what was allowed of another claim does not help": {
			objects: []runtime.Object{refVolume(askedFor(claimIn(images, "other"))), ready}, want: refusal,
		},
		"what was allowed of a snapshot does not help": {
			objects: []runtime.Object{refVolume(askedFor(requester.Source{Kind: requester.Snapshot, Namespace: images, Name: "src"})), ready}, want: refusal,
		},
		"what was allowed of the DataSource does not help": {
			objects: []runtime.Object{
				refVolume(askedFor(requester.Source{Kind: requester.DataSource, Namespace: images, Name: "fedora"}), refTo(images)),
				in(images, dataSource("fedora", yes, toClaim("", "src"))),
			},
			want: refusal,
		},
		"without a note nobody is asked": {
			objects: []runtime.Object{cloneVolume("csi", images, "src", forge(""))}, granted: []string{images + "/pods//"}, want: nobody,
		},
		"with a note that is none nobody is asked": {
			objects: []runtime.Object{cloneVolume("csi", images, "src", forge("{}"))}, granted: []string{images + "/pods//"}, want: nobody,
		},
		"a clone within the namespace needs no note": {
			objects: append(nearClaim(), cloneVolume("csi", gen.Namespace, "near", forge(""))),
		},

		"a claim that is not there is not told of": {
			objects: []runtime.Object{refVolume(askedFor()), dataSource("fedora", no, toClaim(images, "gone"))}, want: refusal,
		},
		"it is told of to who may have it": {
			objects: []runtime.Object{refVolume(askedFor(claimIn(images, "gone"))), dataSource("fedora", no, toClaim(images, "gone"))},
			want:    "DataSourceNotReady: DataSource golden-images/fedora is not ready: ImportInProgress",
		},
		"why a pointer is not ready is not told": {
			objects: []runtime.Object{refVolume(askedFor()), dataSource("fedora", no, toSource("far")), dataSource("far", no, toClaim(images, "src"))}, want: refusal,
		},
		"a snapshot is not told of": {
			objects: []runtime.Object{refVolume(askedFor()), dataSource("fedora", no, shot)}, granted: []string{images + "/pods//"},
			want: "NotAuthorized: User alice has insufficient permissions in clone source namespace os-images: " +
				"create on datavolumes/source (ClusterRole cdi.kubevirt.io:clone-sourcer) or on pods and persistentvolumeclaims is needed there",
		},
		"a snapshot is told of to who may make pods and claims": {
			objects: []runtime.Object{refVolume(askedFor()), dataSource("fedora", yes, shot)},
			granted: []string{images + "/pods//", images + "/persistentvolumeclaims//"},
			want:    "SourceNotSupported: DataSource golden-images/fedora points to a VolumeSnapshot",
		},
		"a DataSource elsewhere that is not there is not told of": {
			objects: []runtime.Object{refVolume(askedFor(), refTo(images))}, want: refusal,
		},
		"it is to who was allowed to wait for it": {
			objects: []runtime.Object{refVolume(askedFor(requester.Source{Kind: requester.DataSource, Namespace: images, Name: "fedora"}), refTo(images))},
			want:    "DataSourceNotFound: DataSource os-images/fedora does not exist",
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, append(append(infrastructure(), sourceClaim(images, "src")...), test.objects...)...)
			r := &reviews{granted: test.granted}
			r.answer(w)
			dv := w.settle()
			if test.want == "" {
				if dv.Status.Phase != v1beta1.Succeeded {
					t.Errorf("phase %s: %s", dv.Status.Phase, w.running(running))
				}
				return
			}
			w.expect(running, test.want)
			if dv.Status.Phase != v1beta1.Pending {
				t.Errorf("phase %s", dv.Status.Phase)
			}
			if _, _, ok := pinned(dv); ok || len(dv.Finalizers) > 0 {
				t.Errorf("the source is settled: %v %v", dv.Annotations, dv.Finalizers)
			}
			if events := w.recorded(); len(events) != 1 || !strings.HasPrefix(events[0], "Warning "+strings.Replace(test.want, ":", "", 1)) {
				t.Errorf("events are %q", events)
			}
		})
	}
}

func TestWhoIsAskedFor(t *testing.T) {
	w := newWorld(t, append(infrastructure(), refVolume(askedFor()), dataSource("fedora", corev1.ConditionTrue, toClaim(images, "src")))...)
	r := &reviews{}
	r.answer(w)
	_, err := w.step(nil)
	w.must(err)
	want := []string{
		"alice 1 [team] [scopes]: create os-images cdi.kubevirt.io/datavolumes/source src",
		"alice 1 [team] [scopes]: create os-images /pods/ ",
	}
	if diff := cmp.Diff(want, r.asked); diff != "" {
		t.Errorf("asked (-want +got):\n%s", diff)
	}
}

func TestWhatIsGrantedLaterIsCloned(t *testing.T) {
	w := newWorld(t, append(append(infrastructure(), sourceClaim(images, "src")...),
		refVolume(askedFor()), dataSource("fedora", corev1.ConditionTrue, toClaim(images, "src")))...)
	r := &reviews{}
	r.answer(w)
	var longest time.Duration
	for began := w.clock.Now(); w.clock.Since(began) < time.Hour; {
		again, err := w.step(nil)
		w.must(err)
		longest = max(longest, again)
	}
	w.expect(running, refusal)
	if longest != longestNetPause {
		t.Errorf("it is asked again after %s, want %s", longest, longestNetPause)
	}
	// Two reviews for each attempt, and one attempt in a minute.
	if n := len(r.asked); n < 2*60 || n > 2*70 {
		t.Errorf("%d reviews in an hour", n)
	}
	r.granted = []string{images + "/pods//"}
	w.clock.Step(longestNetPause)
	w.until(v1beta1.Succeeded)
}

func TestAReviewThatFailsAllowsNothing(t *testing.T) {
	w := newWorld(t, append(append(infrastructure(), sourceClaim(images, "src")...),
		refVolume(askedFor()), dataSource("fedora", corev1.ConditionTrue, toClaim(images, "src")))...)
	r := &reviews{granted: []string{images + "/pods//"}, err: errors.New("connection lost")}
	r.answer(w)
	for range 3 {
		if _, err := w.step(nil); !errors.Is(err, r.err) {
			t.Fatalf("got %v, want %v", err, r.err)
		}
	}
	if dv := w.volume(); dv.Status.Phase != v1beta1.PhaseUnset || len(w.allPods()) > 0 {
		t.Errorf("phase %q", dv.Status.Phase)
	}
	r.err = nil
	w.until(v1beta1.Succeeded)
}

func TestADataSourceThatIsPointedElsewhereAfterwards(t *testing.T) {
	w := newWorld(t, append(append(append(infrastructure(), sourceClaim(images, "src")...), nearClaim()...),
		refVolume(askedFor(claimIn(images, "other"))), dataSource("fedora", corev1.ConditionFalse, toClaim(images, "other")))...)
	r := &reviews{}
	r.answer(w)
	w.settle()
	w.expect(running, "DataSourceNotReady")
	if len(r.asked) > 0 {
		t.Errorf("asked %q for what was allowed", r.asked)
	}
	w.setSource(dataSource("fedora", corev1.ConditionTrue, toClaim(images, "src")))
	w.settle()
	w.expect(running, refusal)
	if len(w.allPods()) > 0 {
		t.Error("there is a worker")
	}
	// What needs no permission does not wait for the next time to ask.
	w.setSource(dataSource("fedora", corev1.ConditionTrue, toClaim(gen.Namespace, "near")))
	if got := w.settle().Annotations[v1beta1.AnnCloneSource]; got != gen.Namespace+"/near" {
		t.Errorf("cloned from %q: %s", got, w.running(running))
	}
	w.until(v1beta1.Succeeded)
}
