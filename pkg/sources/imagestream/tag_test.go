// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package imagestream

import (
	"errors"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/google/go-cmp/cmp"
	imagev1 "github.com/openshift/api/image/v1"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"goldenimage.dev/pkg/sources"
)

const (
	namespace  = "images"
	streamName = "rhel8-is"
	location   = namespace + "/" + streamName
	repository = "registry.example.com/rhel8/guest"
)

func digest(letter string) string { return "sha256:" + strings.Repeat(letter, 64) }

// tagged is a tag whose images are those of digests, the current one first.
func tagged(tag string, digests ...string) imagev1.NamedTagEventList {
	list := imagev1.NamedTagEventList{Tag: tag}
	for _, digest := range digests {
		list.Items = append(list.Items, imagev1.TagEvent{
			Created: metav1.NewTime(time.Unix(1000, 0)), Generation: 2, Image: digest, DockerImageReference: repository + "@" + digest,
		})
	}
	return list
}

// failing is a tag whose last import failed.
func failing(tag imagev1.NamedTagEventList, reason, message string) imagev1.NamedTagEventList {
	tag.Conditions = []imagev1.TagEventCondition{{
		Type: imagev1.ImportSuccess, Status: corev1.ConditionFalse, Reason: reason, Message: message, LastTransitionTime: metav1.NewTime(time.Unix(2000, 0)),
	}}
	return tag
}

// item replaces the current image of a tag.
func item(image, reference string) imagev1.NamedTagEventList {
	return imagev1.NamedTagEventList{Tag: "v1", Items: []imagev1.TagEvent{{Image: image, DockerImageReference: reference}}}
}

func stream(name string, tags ...imagev1.NamedTagEventList) *imagev1.ImageStream {
	return &imagev1.ImageStream{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}, Status: imagev1.ImageStreamStatus{Tags: tags}}
}

func TestRevision(t *testing.T) {
	const invalid = "ImageStream rhel8-is tag v1 "
	for name, test := range map[string]struct {
		tag  string
		tags []imagev1.NamedTagEventList
		want sources.Revision
		// kind and message of the error if nothing is wanted. A message that ends with … is
		// the beginning of one.
		kind    sources.Kind
		message string
	}{
		"the first listed tag if none is named": {
			tags: []imagev1.NamedTagEventList{tagged("old", digest("a")), tagged("latest", digest("b"))},
			want: sources.Revision{Digest: digest("a"), Location: repository + "@" + digest("a")},
		},
		"the tag that is named": {
			tag: "latest", tags: []imagev1.NamedTagEventList{tagged("old", digest("a")), tagged("latest", digest("b"), digest("a"))},
			want: sources.Revision{Digest: digest("b"), Location: repository + "@" + digest("b")},
		},
		"the image that there is although a newer one cannot be imported": {
			tags: []imagev1.NamedTagEventList{failing(tagged("latest", digest("a")), "Unauthorized", "no")},
			want: sources.Revision{Digest: digest("a"), Location: repository + "@" + digest("a")},
		},
		"a reference without a digest": {
			tags: []imagev1.NamedTagEventList{item(digest("a"), repository+":8")},
			want: sources.Revision{Digest: digest("a"), Location: repository + ":8"},
		},
		"no tags": {kind: sources.NotFound, message: "ImageStream rhel8-is has no tags: import an image into it"},
		"another tag": {
			tag: "9", tags: []imagev1.NamedTagEventList{tagged("8", digest("a")), tagged("latest", digest("a"))},
			kind: sources.NotFound, message: "ImageStream rhel8-is has no tag 9: it has 8, latest",
		},
		"another of many tags": {
			tag: "9", tags: []imagev1.NamedTagEventList{tagged("1"), tagged("2"), tagged("3"), tagged("4"), tagged("5"), tagged("6"), tagged("7")},
			kind: sources.NotFound, message: "ImageStream rhel8-is has no tag 9: it has 1, 2, 3, 4, 5, and 2 more",
		},
		"no items": {
			tags: []imagev1.NamedTagEventList{tagged("latest")},
			kind: sources.NotFound, message: "ImageStream rhel8-is tag latest has no items: import an image into it",
		},
		"no items, as the import is not allowed": {
			tags: []imagev1.NamedTagEventList{failing(tagged("latest"), "Unauthorized", "you may not have access to the container image")},
			kind: sources.Unauthorized, message: "ImageStream rhel8-is tag latest has no items: its import failed: Unauthorized: you may not have access to the container image",
		},
		"no items, as there is no such image": {
			tags: []imagev1.NamedTagEventList{failing(tagged("latest"), "NotFound", "dockerimage \"x\" not found")},
			kind: sources.NotFound, message: "ImageStream rhel8-is tag latest has no items: its import failed: NotFound: dockerimage \"x\" not found",
		},
		"no items, for another reason": {
			tags: []imagev1.NamedTagEventList{failing(tagged("latest"), "InternalError", "a\nb")},
			kind: sources.Transient, message: `ImageStream rhel8-is tag latest has no items: its import failed: InternalError: "a\nb"`,
		},
		"an import that succeeded and left nothing": {
			tags: []imagev1.NamedTagEventList{{Tag: "latest", Conditions: []imagev1.TagEventCondition{{Type: imagev1.ImportSuccess, Status: corev1.ConditionTrue}}}},
			kind: sources.NotFound, message: "ImageStream rhel8-is tag latest has no items: import an image into it",
		},
		"an image without a digest": {
			tags: []imagev1.NamedTagEventList{item("latest", repository)},
			kind: sources.Invalid, message: invalid + `names the image "latest", which is not sha256: and 64 lower case hex digits: import the image again`,
		},
		"no reference": {
			tags: []imagev1.NamedTagEventList{item(digest("a"), "")},
			kind: sources.Invalid, message: invalid + "cannot be pulled: …",
		},
		"a reference with a password": {
			tags: []imagev1.NamedTagEventList{item(digest("a"), "user:hunter2@host/disk")},
			kind: sources.Invalid, message: invalid + "cannot be pulled: …",
		},
		"a reference to another image": {
			tags: []imagev1.NamedTagEventList{item(digest("a"), repository+"@"+digest("b"))},
			kind: sources.Invalid, message: invalid + "names the image " + digest("a") + ", and to pull " + digest("b") + ": import the image again",
		},
		"texts without an end": {
			tags: []imagev1.NamedTagEventList{failing(tagged(strings.Repeat("\xff", 5000)), strings.Repeat("b\n", 5000), strings.Repeat("ä", 5000))},
			kind: sources.Transient, message: "ImageStream rhel8-is tag …",
		},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := revision(trim(stream(streamName, test.tags...)), test.tag)
			if test.message == "" {
				if err != nil || got != test.want {
					t.Errorf("got %+v %v, want %+v", got, err, test.want)
				}
				return
			}
			var typed *sources.Error
			if !errors.As(err, &typed) || typed.Kind != test.kind || got != (sources.Revision{}) {
				t.Fatalf("got %+v %v, want %s", got, err, test.kind)
			}
			beginning, open := strings.CutSuffix(test.message, "…")
			if typed.Message != test.message && (!open || !strings.HasPrefix(typed.Message, beginning)) {
				t.Errorf("message %q, want %q", typed.Message, test.message)
			}
			if len(typed.Message) > maxMessage || strings.ContainsFunc(typed.Message, func(r rune) bool { return !unicode.IsPrint(r) }) || strings.Contains(typed.Message, "hunter2") {
				t.Errorf("message %q is not for a condition", typed.Message)
			}
		})
	}
}

func TestOnlyWhatIsReadIsKept(t *testing.T) {
	whole := stream(streamName, failing(tagged("latest", digest("b"), digest("a")), "Unauthorized", "no"))
	whole.UID, whole.ResourceVersion = "uid", "7"
	whole.Annotations, whole.ManagedFields = map[string]string{"a": "b"}, []metav1.ManagedFieldsEntry{{Manager: "oc"}}
	whole.Spec.Tags = []imagev1.TagReference{{Name: "latest"}}
	whole.Status.DockerImageRepository = repository
	want := &imagev1.ImageStream{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: streamName, UID: "uid", ResourceVersion: "7"},
		Status: imagev1.ImageStreamStatus{Tags: []imagev1.NamedTagEventList{{
			Tag: "latest", Items: []imagev1.TagEvent{{Image: digest("b"), DockerImageReference: repository + "@" + digest("b")}},
			Conditions: []imagev1.TagEventCondition{{Type: imagev1.ImportSuccess, Status: corev1.ConditionFalse, Reason: "Unauthorized", Message: "no"}},
		}}},
	}
	if diff := cmp.Diff(want, trim(whole)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
