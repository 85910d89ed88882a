// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package imagestream

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	imagev1 "github.com/openshift/api/image/v1"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"goldenimage.dev/pkg/apis/cdi/reference"
	"goldenimage.dev/pkg/sources"
)

// An error lists the beginnings of some tags.
const (
	shownTags = 5
	shownTag  = 64
)

var sha256Digest = regexp.MustCompile(`^sha256:[0-9a-f]{64}$`)

// trim drops what nobody reads here: an ImageStream remembers all images that its tags ever named.
// When an import failed again is nothing new either.
func trim(stream *imagev1.ImageStream) *imagev1.ImageStream {
	kept := &imagev1.ImageStream{ObjectMeta: metav1.ObjectMeta{
		Namespace: stream.Namespace, Name: stream.Name, UID: stream.UID, ResourceVersion: stream.ResourceVersion,
	}}
	for _, tag := range stream.Status.Tags {
		small := imagev1.NamedTagEventList{Tag: strings.Clone(tag.Tag)}
		if len(tag.Items) > 0 {
			current := tag.Items[0]
			small.Items = []imagev1.TagEvent{{Image: current.Image, DockerImageReference: current.DockerImageReference}}
		}
		if failure := failedImport(tag); failure != nil {
			small.Conditions = []imagev1.TagEventCondition{{
				Type: failure.Type, Status: failure.Status, Reason: show(failure.Reason), Message: show(failure.Message),
			}}
		}
		kept.Status.Tags = append(kept.Status.Tags, small)
	}
	return kept
}

// failedImport returns the condition that says that a tag's last import failed, nil if it did not.
func failedImport(tag imagev1.NamedTagEventList) *imagev1.TagEventCondition {
	i := slices.IndexFunc(tag.Conditions, func(c imagev1.TagEventCondition) bool {
		return c.Type == imagev1.ImportSuccess && c.Status == corev1.ConditionFalse
	})
	if i < 0 {
		return nil
	}
	return &tag.Conditions[i]
}

// revision returns the image that a tag of an ImageStream names now. Its errors are
// sources.Errors.
func revision(stream *imagev1.ImageStream, tag string) (sources.Revision, error) {
	name, tags := stream.Name, stream.Status.Tags
	if len(tags) == 0 {
		return sources.Revision{}, errorf(sources.NotFound, "ImageStream %s has no tags: import an image into it", name)
	}
	at := 0
	if tag != "" {
		at = slices.IndexFunc(tags, func(t imagev1.NamedTagEventList) bool { return t.Tag == tag })
	}
	if at < 0 {
		return sources.Revision{}, errorf(sources.NotFound, "ImageStream %s has no tag %s: it has %s", name, show(tag), list(tags))
	}
	found := tags[at]
	if len(found.Items) == 0 {
		return sources.Revision{}, noItems(name, found)
	}
	return pin(name, show(found.Tag), found.Items[0])
}

// pin checks an entry of a tag's history, which anybody may have written who may push.
func pin(name, tag string, item imagev1.TagEvent) (sources.Revision, error) {
	invalid := func(format string, args ...any) (sources.Revision, error) {
		return sources.Revision{}, errorf(sources.Invalid, "ImageStream %s tag %s %s: import the image again", name, tag, fmt.Sprintf(format, args...))
	}
	if !sha256Digest.MatchString(item.Image) {
		return invalid("names the image %q, which is not sha256: and 64 lower case hex digits", show(item.Image))
	}
	ref, err := reference.ParseName(item.DockerImageReference)
	if err != nil {
		return invalid("cannot be pulled: %s", show(err.Error()))
	}
	if digest := ref.Digest(); digest != "" && digest != item.Image {
		return invalid("names the image %s, and to pull %s", item.Image, digest)
	}
	return sources.Revision{Digest: item.Image, Location: item.DockerImageReference}, nil
}

// noItems says why a tag names no image, as far as that is known.
func noItems(name string, tag imagev1.NamedTagEventList) error {
	failure := failedImport(tag)
	if failure == nil {
		return errorf(sources.NotFound, "ImageStream %s tag %s has no items: import an image into it", name, show(tag.Tag))
	}
	kind := sources.Transient
	switch failure.Reason {
	case "Unauthorized", "Forbidden":
		kind = sources.Unauthorized
	case "NotFound":
		kind = sources.NotFound
	}
	return errorf(kind, "ImageStream %s tag %s has no items: its import failed: %s: %s",
		name, show(tag.Tag), show(failure.Reason), show(failure.Message))
}

// list names some tags.
func list(tags []imagev1.NamedTagEventList) string {
	var names []string
	for i, tag := range tags {
		if i == shownTags {
			names = append(names, fmt.Sprintf("and %d more", len(tags)-i))
			break
		}
		names = append(names, cut(show(tag.Tag), shownTag))
	}
	return strings.Join(names, ", ")
}
