// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package nodepull

import (
	"regexp"
	"strings"

	"goldenimage.dev/pkg/apis/cdi/reference"
	"goldenimage.dev/pkg/sources"
)

// A Target is what a node is asked for, and in whose name.
type Target struct {
	// Namespace, Name and UID of the DataImportCron. The Pod is made in its namespace, and
	// belongs to it.
	Namespace, Name, UID string
	// ServiceAccount of the Pod, whose imagePullSecrets the kubelet uses; "" for the default one.
	ServiceAccount string
	// PullSecret is the name of a Secret that the kubelet uses before those; "" for none. One that
	// is not of the type kubernetes.io/dockerconfigjson it ignores.
	PullSecret string
	// URL of the image, as docker://host[:port]/repository[:tag|@digest].
	URL string
}

// separator of the parts that are names. None may hold it, and no part a space.
const separator = "/"

// Location returns what a Query has for the image that a DataImportCron names, if it says nothing
// of how nodes pull it.
func Location(namespace, name, uid, url string) string {
	return Target{Namespace: namespace, Name: name, UID: uid, URL: url}.String()
}

// String returns the Target as a Query's Location: a space before the URL, a slash between the
// others.
func (t Target) String() string {
	return strings.Join([]string{t.Namespace, t.Name, t.UID, t.ServiceAccount, t.PullSecret}, separator) + " " + t.URL
}

// maxNamed bounds a part of a Target that is a name, in bytes.
const maxNamed = 253

var (
	// named is what the API server accepts as the name of anything that a Target names.
	named = regexp.MustCompile(`^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$`)
	// identified leaves room for the prefix of a Pod's name.
	identified = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,50}[a-z0-9])?$`)
)

// Parse reads what String returned. Its errors are sources.Errors.
func Parse(text string) (Target, error) {
	cron, url, _ := strings.Cut(text, " ")
	parts := strings.Split(cron, separator)
	if len(parts) != 5 {
		return Target{}, sources.Errorf(sources.Invalid, "%.300q does not name a DataImportCron and an image", text)
	}
	t := Target{Namespace: parts[0], Name: parts[1], UID: parts[2], ServiceAccount: parts[3], PullSecret: parts[4], URL: url}
	for i, part := range parts {
		optional := i > 2 && part == ""
		if !optional && (len(part) > maxNamed || !named.MatchString(part)) {
			return Target{}, sources.Errorf(sources.Invalid, "%.300q does not name a DataImportCron: %.100q is no name", text, part)
		}
	}
	if !identified.MatchString(t.UID) {
		return Target{}, sources.Errorf(sources.Invalid, "%.300q does not name a DataImportCron: %.100q is no UID", text, t.UID)
	}
	return t, nil
}

// image reads the URL. Its errors are sources.Errors.
func (t Target) image() (reference.Reference, error) {
	ref, err := reference.Parse(t.URL)
	if err != nil {
		return reference.Reference{}, sources.Errorf(sources.Invalid, "the registry URL cannot be read: %w", err)
	}
	if ref.Transport() != reference.Docker {
		return reference.Reference{}, sources.Errorf(sources.Invalid, "%s is a file, which no node can pull: push the image to a registry and use docker://host/repository:tag", ref)
	}
	return ref, nil
}
