// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package push

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"

	"k8s.io/utils/ptr"

	"goldenimage.dev/pkg/apis/cdi/reference"
	"goldenimage.dev/pkg/apis/cdi/v1beta1"
)

// byTag is the index of crons by what they follow.
const byTag = "registry-repository-tag"

// indexByTag returns what a cron follows; nothing if pushes are not for it.
func indexByTag(obj any) ([]string, error) {
	cron, ok := obj.(*v1beta1.DataImportCron)
	if !ok || cron.DeletionTimestamp != nil || ptr.Deref(cron.Spec.Suspend, false) {
		return nil, nil
	}
	source := cron.Spec.Template.Spec.Source
	if source == nil || source.Registry == nil || source.Registry.URL == nil {
		return nil, nil
	}
	named, err := reference.Parse(*source.Registry.URL)
	if err != nil || named.Transport() != reference.Docker || named.Digest() != "" {
		return nil, nil //nolint:nilerr // The condition of the cron says so.
	}
	return []string{indexKey(named.Registry(), named.Repository(), named.Identifier())}, nil
}

// indexKey joins with what none of the parts may hold.
func indexKey(registry, repository, tag string) string {
	registry = canonical(registry)
	if registry == dockerHub && !strings.Contains(repository, "/") {
		repository = "library/" + repository
	}
	return registry + " " + repository + " " + tag
}

// canonical returns the one name of a registry that has several.
func canonical(host string) string {
	host = strings.TrimSuffix(strings.ToLower(host), ":443")
	switch host {
	case "docker.io", "registry-1.docker.io", "registry.hub.docker.com":
		return dockerHub
	}
	return host
}

// current tells whether a cron holds a digest already.
func current(cron *v1beta1.DataImportCron, digest string) bool {
	if digest == "" {
		return false
	}
	if source := cron.Status.Source; source != nil {
		return source.Digest == digest
	}
	return cron.Annotations[v1beta1.AnnSourceDesiredDigest] == digest
}

// requestID names the trigger of an event, so that an event that is told again is polled for
// once; "" if it cannot be told from the next one.
func requestID(sender string, e Event) string {
	if e.ID == "" {
		return ""
	}
	sum := sha256.Sum256(fmt.Appendf(nil, "%q %q %q %q %q", sender, e.ID, e.Repository, e.Tag, e.Digest))
	return "push-" + hex.EncodeToString(sum[:16])
}
