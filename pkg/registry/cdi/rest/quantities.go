// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package rest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"sigs.k8s.io/yaml"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apiserver/pkg/endpoints/request"

	"goldenimage.dev/pkg/apis/cdi"
)

const (
	// maxBody is what the machinery reads of a body. It refuses more than that itself.
	maxBody = 3 << 20
	// maxNesting is how deep a document may be. The machinery refuses deeper ones.
	maxNesting = 10000

	maxExponent = 1000
	// maxNumber is how many characters a number may have.
	maxNumber = 100
	// maxShown is how many characters of a value or of its path are shown.
	maxShown = 200
)

// WithBoundedQuantities refuses requests with quantities such as 1e-2000000000. To parse one of
// those, or to compare it with another, can take hours, and the machinery does both before
// anything of ours sees the object. The types of the group have quantities under the keys
// "requests" and "limits" alone, so that only what is there counts. A body that cannot be read
// goes on as it is: the machinery says what is wrong.
//
// It goes below the authorization in the chain of handlers.
func WithBoundedQuantities(handler http.Handler, errors runtime.NegotiatedSerializer) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		info, ok := request.RequestInfoFrom(req.Context())
		if !ok || !info.IsResourceRequest || info.APIGroup != cdi.GroupName || req.Body == nil ||
			!slices.Contains([]string{http.MethodPost, http.MethodPut, http.MethodPatch}, req.Method) {
			handler.ServeHTTP(w, req)
			return
		}
		body, err := io.ReadAll(io.LimitReader(req.Body, maxBody+1))
		if err == nil && len(body) <= maxBody {
			if message := refusal(req.Header.Get("Content-Type"), body); message != "" {
				refuse(w, req, errors, http.StatusBadRequest, message)
				return
			}
		}
		rest := io.Reader(req.Body)
		if err != nil {
			rest = failed{err}
		}
		again := req.WithContext(req.Context())
		again.Body = struct {
			io.Reader
			io.Closer
		}{io.MultiReader(bytes.NewReader(body), rest), req.Body}
		handler.ServeHTTP(w, again)
	})
}

// failed is the rest of a body that could not be read to its end.
type failed struct{ err error }

func (f failed) Read([]byte) (int, error) { return 0, f.err }

// refusal says why a body is refused, nothing if it is not.
func refusal(contentType string, body []byte) string {
	// The machinery goes by what is before the parameters too.
	name, _, _ := strings.Cut(contentType, ";")
	name = strings.ToLower(strings.TrimSpace(name))
	switch {
	case name == string(types.JSONPatchType):
		// It is read always: a copy takes its value from an object that is there.
		return patchRefusal(body)
	case strings.HasSuffix(name, "yaml"):
		// A character may be written with a backslash, a scalar in base 64 by a tag, and a
		// document in UTF-16. Nobody needs to, so those are read.
		if !mayBeAbsurd(body) && !bytes.ContainsAny(body, "\\!\x00") {
			return ""
		}
		document, err := yaml.YAMLToJSON(body)
		if err != nil {
			return ""
		}
		return documentRefusal(document, nil)
	default:
		// What a number consists of may be written as \u0065 or the like.
		if !mayBeAbsurd(body) && !bytes.Contains(body, []byte(`\u00`)) {
			return ""
		}
		return documentRefusal(body, nil)
	}
}

// mayBeAbsurd tells whether there may be an absurd number among some bytes; false is certain,
// unless the number is written with escapes.
func mayBeAbsurd(body []byte) bool {
	const (
		least   = 4
		longest = maxNumber - len("+e+999")
	)
	digits := 0
	for i, c := range body {
		switch {
		case c >= '0' && c <= '9' || c == '.':
			if digits++; digits > longest {
				return true
			}
			continue
		case c == 'e' || c == 'E':
			// A quantity may start with its exponent. A word goes on.
			if (i == 0 || !isLetter(body[i-1])) && startsWithExponent(body[i+1:], least) {
				return true
			}
		}
		digits = 0
	}
	return false
}

func isLetter(c byte) bool { return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' }

// startsWithExponent tells whether bytes start with at least so many digits, after a sign or none.
func startsWithExponent(body []byte, least int) bool {
	if len(body) > 0 && (body[0] == '+' || body[0] == '-') {
		body = body[1:]
	}
	if len(body) < least {
		return false
	}
	for _, c := range body[:least] {
		if c < '0' || c > '9' {
			return false
		}
	}
	return true
}

// patchRefusal says why a JSON patch is refused, nothing if it is not.
func patchRefusal(body []byte) string {
	// A map takes keys as the machinery does: by case, and the last of two that are the same.
	var operations []map[string]json.RawMessage
	if err := json.Unmarshal(body, &operations); err != nil {
		return ""
	}
	unescape := strings.NewReplacer("~1", "/", "~0", "~")
	for _, operation := range operations {
		var kind, pointer string
		if json.Unmarshal(operation["op"], &kind) != nil || json.Unmarshal(operation["path"], &pointer) != nil {
			continue
		}
		keys := strings.Split(pointer, "/")
		for i := range keys {
			keys[i] = unescape.Replace(keys[i])
		}
		if (kind == "copy" || kind == "move") && slices.ContainsFunc(keys, holdsQuantities) {
			return fmt.Sprintf("%s: quantities cannot be written by a JSON patch's %q: send the value itself, with \"add\" or \"replace\"",
				shorten(pointer), kind)
		}
		if message := documentRefusal(operation["value"], keys); message != "" {
			return message
		}
	}
	return ""
}

// holdsQuantities tells whether the value of a key is a list of resources.
func holdsQuantities(key string) bool { return key == "requests" || key == "limits" }

// numberRefusal says what is wrong with a value of a list of resources, nothing if nothing is or
// if it is not a number: that is refused as soon as it is parsed.
func numberRefusal(value string) string {
	const digits = "0123456789"
	value = strings.TrimSpace(value)
	unsigned := strings.TrimLeft(value, "+-")
	rest := strings.TrimLeft(unsigned, digits+".")
	number := value[:len(value)-len(rest)]
	if rest != "" && (rest[0] == 'e' || rest[0] == 'E') {
		exponent := rest[1:]
		if exponent != "" && (exponent[0] == '+' || exponent[0] == '-') {
			exponent = exponent[1:]
		}
		if exponent != "" && strings.Trim(exponent, digits) == "" {
			if n, err := strconv.Atoi(exponent); err != nil || n > maxExponent {
				return "has an exponent beyond " + strconv.Itoa(maxExponent)
			}
			number = value
		}
	}
	if len(number) > maxNumber {
		return "has " + strconv.Itoa(len(number)) + " characters, more than " + strconv.Itoa(maxNumber)
	}
	return ""
}

// shorten cuts what is too long to be shown.
func shorten(text string) string {
	if len(text) <= maxShown {
		return text
	}
	return strings.ToValidUTF8(text[:maxShown], "") + "..."
}
