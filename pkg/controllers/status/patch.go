// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package status

import (
	"encoding/json"
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// MetadataPatch returns a JSON merge patch that sets labels and annotations of obj; a nil value
// removes a key, keys that are not named stay. It holds no resource version, so it does not
// conflict with what others write, but the UID: it does not apply to an object that was made
// again under the same name. It is nil if obj has all this already.
func MetadataPatch(obj metav1.Object, labels, annotations map[string]*string) ([]byte, error) {
	changes := map[string]any{}
	if c := differing(obj.GetLabels(), labels); len(c) > 0 {
		changes["labels"] = c
	}
	if c := differing(obj.GetAnnotations(), annotations); len(c) > 0 {
		changes["annotations"] = c
	}
	if len(changes) == 0 {
		return nil, nil
	}
	if uid := obj.GetUID(); uid != "" {
		changes["uid"] = uid
	}
	patch, err := json.Marshal(map[string]any{"metadata": changes})
	if err != nil {
		return nil, fmt.Errorf("patch metadata of %s: %w", obj.GetName(), err)
	}
	return patch, nil
}

func differing(have map[string]string, want map[string]*string) map[string]*string {
	changes := map[string]*string{}
	for key, value := range want {
		current, ok := have[key]
		if (value == nil) == !ok && (value == nil || *value == current) {
			continue
		}
		changes[key] = value
	}
	return changes
}
