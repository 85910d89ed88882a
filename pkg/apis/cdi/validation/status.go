// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package validation

import (
	"fmt"

	corev1 "k8s.io/api/core/v1"
	apiequality "k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"goldenimage.dev/pkg/apis/cdi"
)

// Bounds of a condition, in bytes; those of metav1.Condition.
const (
	maxReason  = 1024
	maxMessage = 32768
)

// maxRecentTriggers is how many requests for a poll a status remembers.
const maxRecentTriggers = 20

// ValidateDataImportCronStatusUpdate returns what forbids to replace a DataImportCron's status.
func ValidateDataImportCronStatusUpdate(updated, old *cdi.DataImportCron) field.ErrorList {
	status, path := &updated.Status, field.NewPath("status")
	if apiequality.Semantic.DeepEqual(updated.Status, old.Status) {
		return nil
	}
	errs := validateImports(status, path)
	if status.LastPoll != nil {
		errs = append(errs, notNegative(status.LastPoll.Failures, path.Child("lastPoll", "failures"))...)
		errs = append(errs, validateOutcome(status.LastPoll.Outcome, path.Child("lastPoll", "outcome"))...)
	}
	if request := status.TriggerRequest; request != nil {
		errs = append(errs, notNegative(request.Coalesced, path.Child("triggerRequest", "coalesced"))...)
	}
	if handled := status.LastTrigger; handled != nil {
		errs = append(errs, notNegative(handled.Coalesced, path.Child("lastTrigger", "coalesced"))...)
		errs = append(errs, validateOutcome(handled.Outcome, path.Child("lastTrigger", "outcome"))...)
	}
	errs = append(errs, validateRecentTriggers(status.RecentTriggers, path.Child("recentTriggers"))...)
	conditions := conditionsOf(status.Conditions, func(c cdi.DataImportCronCondition) condition {
		return condition{string(c.Type), c.ConditionState}
	})
	return append(errs, validateConditions(conditions, path.Child("conditions"))...)
}

// validateRecentTriggers checks that an ID that is sent again finds one answer.
func validateRecentTriggers(records []cdi.TriggerRecord, path *field.Path) field.ErrorList {
	var errs field.ErrorList
	if len(records) > maxRecentTriggers {
		errs = append(errs, field.TooMany(path, len(records), maxRecentTriggers))
	}
	seen := map[string]bool{}
	for i, record := range records {
		child := path.Index(i)
		switch {
		case record.ID == "":
			errs = append(errs, field.Required(child.Child("id"), "give the ID that the request had"))
		case seen[record.ID]:
			errs = append(errs, field.Duplicate(child.Child("id"), shorten(record.ID)))
		}
		seen[record.ID] = true
		if record.RequestID == "" {
			errs = append(errs, field.Required(child.Child("requestID"), "give the ID of the request whose poll answers it"))
		}
	}
	return errs
}

func validateImports(status *cdi.DataImportCronStatus, path *field.Path) field.ErrorList {
	var errs field.ErrorList
	for i, current := range status.CurrentImports {
		child := path.Child("currentImports").Index(i)
		errs = append(errs, requiredName(current.DataVolumeName, child.Child("DataVolumeName"), "name of the DataVolume is not valid")...)
		if current.Digest == "" {
			errs = append(errs, field.Required(child.Child("Digest"), "give the digest that is imported"))
		}
	}
	if pvc := status.LastImportedPVC; pvc != nil {
		child := path.Child("lastImportedPVC")
		errs = append(errs, requiredNamespace(pvc.Namespace, child.Child("namespace"), "last imported PVC is not valid")...)
		errs = append(errs, requiredName(pvc.Name, child.Child("name"), "last imported PVC is not valid")...)
	}
	return append(errs, oneOf(status.SourceFormat, path.Child("sourceFormat"), "Illegal source format",
		cdi.DataImportCronSourceFormatPvc, cdi.DataImportCronSourceFormatSnapshot)...)
}

func validateOutcome(outcome cdi.PollOutcome, path *field.Path) field.ErrorList {
	return oneOf(&outcome, path, "Illegal outcome", cdi.PollUnchanged, cdi.PollUpdated, cdi.PollFailed)
}

// ValidateDataSourceStatusUpdate returns what forbids to replace a DataSource's status.
func ValidateDataSourceStatusUpdate(updated, old *cdi.DataSource) field.ErrorList {
	if apiequality.Semantic.DeepEqual(updated.Status, old.Status) {
		return nil
	}
	conditions := conditionsOf(updated.Status.Conditions, func(c cdi.DataSourceCondition) condition {
		return condition{string(c.Type), c.ConditionState}
	})
	return validateConditions(conditions, field.NewPath("status", "conditions"))
}

// ValidateDataVolumeStatusUpdate returns what forbids to replace a DataVolume's status.
func ValidateDataVolumeStatusUpdate(updated, old *cdi.DataVolume) field.ErrorList {
	status, path := &updated.Status, field.NewPath("status")
	if apiequality.Semantic.DeepEqual(updated.Status, old.Status) {
		return nil
	}
	errs := optionalName(status.ClaimName, path.Child("claimName"), "name of the claim is not valid")
	errs = append(errs, notNegative(status.RestartCount, path.Child("restartCount"))...)
	conditions := conditionsOf(status.Conditions, func(c cdi.DataVolumeCondition) condition {
		return condition{string(c.Type), c.ConditionState}
	})
	return append(errs, validateConditions(conditions, path.Child("conditions"))...)
}

func notNegative(count int32, path *field.Path) field.ErrorList {
	if count >= 0 {
		return nil
	}
	return field.ErrorList{field.Invalid(path, count, "must be 0 or more")}
}

// A condition is one of any of the kinds.
type condition struct {
	kind  string
	state cdi.ConditionState
}

func conditionsOf[C any](list []C, asCondition func(C) condition) []condition {
	conditions := make([]condition, len(list))
	for i, c := range list {
		conditions[i] = asCondition(c)
	}
	return conditions
}

func validateConditions(conditions []condition, path *field.Path) field.ErrorList {
	var errs field.ErrorList
	seen := map[string]bool{}
	for i, c := range conditions {
		child := path.Index(i)
		switch {
		case c.kind == "":
			errs = append(errs, field.Required(child.Child("type"), "give the type of the condition"))
		case seen[c.kind]:
			errs = append(errs, field.Duplicate(child.Child("type"), shorten(c.kind)))
		}
		seen[c.kind] = true
		errs = append(errs, validateState(&c.state, child)...)
	}
	return errs
}

func validateState(state *cdi.ConditionState, path *field.Path) field.ErrorList {
	errs := oneOf(&state.Status, path.Child("status"), "Illegal status", corev1.ConditionTrue, corev1.ConditionFalse, corev1.ConditionUnknown)
	for _, text := range []struct {
		name, value string
		limit       int
	}{
		{"reason", state.Reason, maxReason},
		{"message", state.Message, maxMessage},
	} {
		if len(text.value) > text.limit {
			errs = append(errs, field.Invalid(path.Child(text.name), shorten(text.value), fmt.Sprintf("must be at most %d bytes long", text.limit)))
		}
	}
	return errs
}
