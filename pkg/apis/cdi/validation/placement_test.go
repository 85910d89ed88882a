// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package validation

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

func TestValidateNodeAffinity(t *testing.T) {
	need := func(requirements ...corev1.NodeSelectorRequirement) *corev1.NodeAffinity {
		return &corev1.NodeAffinity{RequiredDuringSchedulingIgnoredDuringExecution: &corev1.NodeSelector{NodeSelectorTerms: []corev1.NodeSelectorTerm{{MatchExpressions: requirements}}}}
	}
	fields := func(requirement corev1.NodeSelectorRequirement) *corev1.NodeAffinity {
		return &corev1.NodeAffinity{RequiredDuringSchedulingIgnoredDuringExecution: &corev1.NodeSelector{NodeSelectorTerms: []corev1.NodeSelectorTerm{{MatchFields: []corev1.NodeSelectorRequirement{requirement}}}}}
	}
	prefer := func(weight int32, requirement corev1.NodeSelectorRequirement) *corev1.NodeAffinity {
		return &corev1.NodeAffinity{PreferredDuringSchedulingIgnoredDuringExecution: []corev1.PreferredSchedulingTerm{{
			Weight: weight, Preference: corev1.NodeSelectorTerm{MatchExpressions: []corev1.NodeSelectorRequirement{requirement}},
		}}}
	}
	rule := func(operator corev1.NodeSelectorOperator, values ...string) corev1.NodeSelectorRequirement {
		return corev1.NodeSelectorRequirement{Key: "a", Operator: operator, Values: values}
	}
	const (
		terms     = "nodes.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms"
		preferred = "nodes.preferredDuringSchedulingIgnoredDuringExecution[0]"
		operators = "not a valid selector operator: accepted are In, NotIn, Exists, DoesNotExist, Gt, Lt"
	)
	for name, test := range map[string]struct {
		affinity *corev1.NodeAffinity
		want     []fault
	}{
		"nothing is valid": {nil, nil},
		"all operators are valid": {need(rule(corev1.NodeSelectorOpIn, "a", "b"), rule(corev1.NodeSelectorOpNotIn, "a"), rule(corev1.NodeSelectorOpExists),
			rule(corev1.NodeSelectorOpDoesNotExist), rule(corev1.NodeSelectorOpGt, "1"), rule(corev1.NodeSelectorOpLt, "1")), nil},
		"a field is valid":                   {fields(rule(corev1.NodeSelectorOpIn, "node-1")), nil},
		"weights at their bounds are valid":  {prefer(1, rule(corev1.NodeSelectorOpExists)), nil},
		"weights at the upper one are valid": {prefer(100, rule(corev1.NodeSelectorOpExists)), nil},
		"no terms":                           {&corev1.NodeAffinity{RequiredDuringSchedulingIgnoredDuringExecution: &corev1.NodeSelector{}}, []fault{required(terms, "must have at least one node selector term")}},
		"values that have to be missing or single": {need(rule(corev1.NodeSelectorOpIn), rule(corev1.NodeSelectorOpExists, "a"), rule(corev1.NodeSelectorOpGt, "1", "2"), rule("Near")), []fault{
			required(terms+"[0].matchExpressions[0].values", "must be specified when `operator` is 'In' or 'NotIn'"),
			forbidden(terms+"[0].matchExpressions[1].values", "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"),
			required(terms+"[0].matchExpressions[2].values", "must be only one value when `operator` is 'Lt' or 'Gt'"),
			unsupported(terms+"[0].matchExpressions[3].operator", operators),
		}},
		"a field of several values": {fields(rule(corev1.NodeSelectorOpNotIn, "a", "b")), []fault{required(terms+"[0].matchFields[0].values", "must be only one value when `operator` is 'In' or 'NotIn'")}},
		"a field that is there":     {fields(rule(corev1.NodeSelectorOpExists)), []fault{unsupported(terms+"[0].matchFields[0].operator", "not a valid field selector operator: accepted are In, NotIn")}},
		"a weight of nothing":       {prefer(0, rule(corev1.NodeSelectorOpExists)), []fault{invalid(preferred+".weight", "weight must be in the range 1-100")}},
		"a weight and its preference": {prefer(101, rule("")), []fault{
			invalid(preferred+".weight", "weight must be in the range 1-100"),
			unsupported(preferred+".preference.matchExpressions[0].operator", operators),
		}},
	} {
		t.Run(name, func(t *testing.T) {
			compare(t, test.want, validateNodeAffinity(test.affinity, field.NewPath("nodes")))
		})
	}
}
