// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package oci

import (
	"regexp"
	"strings"
)

const (
	// maxLabels bounds what an image may give to a volume.
	maxLabels = 32
	// ownPrefix is of labels that say who manages a volume: an image may not set them.
	ownPrefix = "cdi.kubevirt.io/"
)

var (
	// kubevirtVariable is the environment's way to write a label of KubeVirt, such as
	// INSTANCETYPE_KUBEVIRT_IO_DEFAULT_PREFERENCE.
	kubevirtVariable = regexp.MustCompile(`^((?:[A-Z0-9]+_)*)KUBEVIRT_IO_([A-Z0-9]+(?:_[A-Z0-9]+)*)$`)
	labelValue       = regexp.MustCompile(`^([A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?)?$`)
)

// labels returns the labels that an image's environment gives to volumes, nil if none.
// Variables that make no valid label are left out.
func labels(environment []string) map[string]string {
	found := map[string]string{}
	for _, variable := range environment {
		name, value, _ := strings.Cut(variable, "=")
		match := kubevirtVariable.FindStringSubmatch(name)
		if match == nil || !labelValue.MatchString(value) || len(found) == maxLabels {
			continue
		}
		domain := strings.ReplaceAll(strings.ToLower(match[1]), "_", ".")
		key := domain + "kubevirt.io/" + strings.ReplaceAll(strings.ToLower(match[2]), "_", "-")
		if strings.HasPrefix(key, ownPrefix) || len(match[2]) > 63 || len(domain) > 200 {
			continue
		}
		found[key] = value
	}
	if len(found) == 0 {
		return nil
	}
	return found
}
