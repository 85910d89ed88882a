// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package validation

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"goldenimage.dev/pkg/apis/cdi"
)

// maxTriggerReason bounds the reason of a trigger, in bytes: it is kept in the status and
// repeated by an event.
const maxTriggerReason = 256

// ValidateDataImportCronTrigger returns what forbids to ask for a poll. Everything may be
// left out. A status that is sent is no fault: it is ignored, as that of any new object.
func ValidateDataImportCronTrigger(trigger *cdi.DataImportCronTrigger) field.ErrorList {
	path := field.NewPath("spec")
	id := trigger.Spec.RequestID
	// The value of a label is what fits everywhere that an ID is put; it may be empty.
	errs := checked(id, path.Child("requestID"), "request ID is not valid", validation.IsValidLabelValue(id))
	reason := trigger.Spec.Reason
	if len(reason) > maxTriggerReason {
		errs = append(errs, field.Invalid(path.Child("reason"), shorten(reason), fmt.Sprintf("must be at most %d bytes long", maxTriggerReason)))
	}
	if !utf8.ValidString(reason) || strings.ContainsFunc(reason, breaksLine) {
		errs = append(errs, field.Invalid(path.Child("reason"), shorten(reason), "must be one line of text"))
	}
	return errs
}

// breaksLine tells whether a character keeps a text from being one line, or is no text.
func breaksLine(r rune) bool {
	return unicode.IsControl(r) || unicode.In(r, unicode.Zl, unicode.Zp)
}
