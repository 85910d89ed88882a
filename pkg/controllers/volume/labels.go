// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package volume

import "k8s.io/apimachinery/pkg/util/validation"

// validLabel tells whether the API would accept a label. Those of an image are anybody's.
func validLabel(key, value string) bool {
	return len(validation.IsQualifiedName(key)) == 0 && len(validation.IsValidLabelValue(value)) == 0
}
