// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package access

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"

	"goldenimage.dev/pkg/sources"
)

// fingerprintBytes of a hash are enough to tell that something was changed.
const fingerprintBytes = 12

// Fingerprint returns a short text that is another one when what a source is read with was
// changed, so that a caller need not keep a credential to notice that it was mended. It belongs
// in memory only: against a hash a weak password can be guessed.
func Fingerprint(access sources.Access) string {
	// The fields are texts, bytes and flags, of which encoding does not fail, and it writes maps
	// in the order of their keys.
	document, _ := json.Marshal(access) //nolint:errchkjson // see above
	sum := sha256.Sum256(document)
	return hex.EncodeToString(sum[:fingerprintBytes])
}
