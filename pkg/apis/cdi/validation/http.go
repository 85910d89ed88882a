// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package validation

import (
	"fmt"
	"net/url"
	"regexp"

	"k8s.io/apimachinery/pkg/util/validation/field"

	"goldenimage.dev/pkg/apis/cdi"
)

const (
	// maxHeaderSecrets bounds what a worker's pod mounts.
	maxHeaderSecrets = 32
	// maxHeaders and maxHeaderLength, in bytes, are far above what servers take.
	maxHeaders      = 64
	maxHeaderLength = 8 << 10
)

// headerPattern is a header on one line. Tabs are white space in it.
var headerPattern = regexp.MustCompile("^[!#$%&'*+.^_`|~0-9A-Za-z-]+:[^\\x00-\\x08\\x0a-\\x1f\\x7f]*$")

// validateFile checks what of a file on a web server is legal as such, and cannot be read here.
// What is wrong with the source itself is not repeated.
func validateFile(source *cdi.DataVolumeSourceHTTP, path *field.Path) field.ErrorList {
	var errs field.ErrorList
	if parsed, err := url.ParseRequestURI(source.URL); err == nil {
		visible := visibleURL(source.URL)
		if parsed.User != nil {
			errs = append(errs, field.Invalid(path.Child("url"), visible, "Invalid source URL: "+visible+": it holds a user name or password: name a Secret by secretRef instead"))
		}
		if parsed.Scheme == schemeGS {
			errs = append(errs, field.Invalid(path.Child("url"), visible, "Invalid source URL scheme: "+visible+": buckets are not supported: accepted are http and https"))
		}
	}
	return append(errs, validateHeaders(source, path)...)
}

// validateHeaders checks what is sent with each request. Headers are often secret, though they
// should not be here: no error repeats one.
func validateHeaders(source *cdi.DataVolumeSourceHTTP, path *field.Path) field.ErrorList {
	var errs field.ErrorList
	lines, secrets := path.Child("extraHeaders"), path.Child("secretExtraHeaders")
	if len(source.ExtraHeaders) > maxHeaders {
		errs = append(errs, field.TooMany(lines, len(source.ExtraHeaders), maxHeaders))
	}
	if len(source.SecretExtraHeaders) > maxHeaderSecrets {
		errs = append(errs, field.TooMany(secrets, len(source.SecretExtraHeaders), maxHeaderSecrets))
	}
	for i, line := range source.ExtraHeaders {
		switch {
		case len(line) > maxHeaderLength:
			errs = append(errs, field.Invalid(lines.Index(i), field.OmitValueType{}, fmt.Sprintf("header is not valid: it is longer than %d bytes", maxHeaderLength)))
		case !headerPattern.MatchString(line):
			errs = append(errs, field.Invalid(lines.Index(i), field.OmitValueType{}, "header is not valid: give one line of the form Name: value"))
		}
	}
	return errs
}
