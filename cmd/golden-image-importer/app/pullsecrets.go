// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package app

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	importer "goldenimage.dev/pkg/apis/importer/v1"
)

// readPullSecrets returns the Secrets of a ServiceAccount as one .dockerconfigjson, in which of
// several for the same key the first one stands; nil if there is none. They are mounted as files
// that are named by their order: 0.dockerconfigjson, or 0.dockercfg for the older type.
func readPullSecrets(o options) ([]byte, error) {
	type auths map[string]json.RawMessage
	all := auths{}
	for i := range importer.PullSecretsPerAccount {
		var newer struct {
			Auths auths `json:"auths"`
		}
		var older auths
		for suffix, document := range map[string]any{".dockerconfigjson": &newer, ".dockercfg": &older} {
			name := strconv.Itoa(i) + suffix
			content, err := readFile(o.path(filepath.Join(importer.CredentialsDir, name)))
			if errors.Is(err, os.ErrNotExist) {
				continue
			}
			if err != nil {
				return nil, err
			}
			// The error is left out, as it may repeat a part of the Secret.
			if json.Unmarshal(content, document) != nil {
				return nil, fmt.Errorf("%s is malformed", name)
			}
		}
		for _, found := range []auths{newer.Auths, older} {
			for key, value := range found {
				if _, ok := all[key]; !ok {
					all[key] = value
				}
			}
		}
	}
	if len(all) == 0 {
		return nil, nil
	}
	return json.Marshal(map[string]auths{"auths": all})
}
