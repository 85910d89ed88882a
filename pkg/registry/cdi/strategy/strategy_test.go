// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package strategy

import (
	"context"
	"testing"

	"github.com/google/go-cmp/cmp"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"k8s.io/apiserver/pkg/authentication/user"
	"k8s.io/apiserver/pkg/endpoints/request"

	"goldenimage.dev/pkg/apis/cdi"
)

const guarded = "example.com/guarded"

func transferRules() Rules[cdi.ObjectTransfer, *cdi.ObjectTransfer] {
	say := func(word string) field.ErrorList {
		return field.ErrorList{field.Forbidden(field.NewPath(word), "no")}
	}
	return Rules[cdi.ObjectTransfer, *cdi.ObjectTransfer]{
		APIVersion:           "example.com/v1",
		ClusterScoped:        true,
		Spec:                 func(o *cdi.ObjectTransfer) any { return &o.Spec },
		CopySpec:             func(to, from *cdi.ObjectTransfer) { to.Spec = from.Spec },
		CopyStatus:           func(to, from *cdi.ObjectTransfer) { to.Status = from.Status },
		Validate:             func(*cdi.ObjectTransfer) field.ErrorList { return say("create") },
		ValidateUpdate:       func(_, _ *cdi.ObjectTransfer) field.ErrorList { return say("update") },
		ValidateStatusUpdate: func(_, _ *cdi.ObjectTransfer) field.ErrorList { return say("status") },
		Guarded:              []string{guarded},
		Warnings:             func(*cdi.ObjectTransfer) []string { return []string{"odd"} },
	}
}

func cloneSourceRules() Rules[cdi.VolumeCloneSource, *cdi.VolumeCloneSource] {
	return Rules[cdi.VolumeCloneSource, *cdi.VolumeCloneSource]{
		APIVersion: "example.com/v1",
		Spec:       func(o *cdi.VolumeCloneSource) any { return &o.Spec },
		CopySpec:   func(to, from *cdi.VolumeCloneSource) { to.Spec = from.Spec },
	}
}

func transfer(phase cdi.ObjectTransferPhase, source string, generation int64) *cdi.ObjectTransfer {
	return &cdi.ObjectTransfer{
		ObjectMeta: metav1.ObjectMeta{Name: "t", Generation: generation},
		Spec:       cdi.ObjectTransferSpec{Source: cdi.TransferSource{Name: source}},
		Status:     cdi.ObjectTransferStatus{Phase: phase},
	}
}

func TestMainEndpointWritesTheSpec(t *testing.T) {
	strategy := NewMain(runtime.NewScheme(), transferRules())
	for name, test := range map[string]struct{ sent, stored, want *cdi.ObjectTransfer }{
		"a new object has no status and generation 1": {transfer("Running", "a", 7), nil, transfer("", "a", 1)},
		"an update keeps the status":                  {transfer("Running", "a", 7), transfer("Pending", "a", 3), transfer("Pending", "a", 3)},
		"a change of the spec is counted":             {transfer("Running", "b", 0), transfer("Pending", "a", 3), transfer("Pending", "b", 4)},
	} {
		t.Run(name, func(t *testing.T) {
			if test.stored == nil {
				strategy.PrepareForCreate(t.Context(), test.sent)
			} else {
				strategy.PrepareForUpdate(t.Context(), test.sent, test.stored)
			}
			if diff := cmp.Diff(test.want, test.sent); diff != "" {
				t.Errorf("object (-want +got):\n%s", diff)
			}
		})
	}
}

func TestStatusEndpointWritesTheStatus(t *testing.T) {
	strategy := NewStatus(NewMain(runtime.NewScheme(), transferRules()))
	sent, stored := transfer("Running", "b", 9), transfer("Pending", "a", 3)
	sent.Labels, stored.Labels = map[string]string{"a": "sent"}, map[string]string{"a": "stored"}
	sent.Finalizers = []string{"example.com/sent"}
	want := transfer("Running", "a", 3)
	want.Labels = stored.Labels
	strategy.PrepareForUpdate(t.Context(), sent, stored)
	if diff := cmp.Diff(want, sent); diff != "" {
		t.Errorf("object (-want +got):\n%s", diff)
	}
	if warnings := strategy.WarningsOnUpdate(t.Context(), sent, stored); warnings != nil {
		t.Errorf("warnings %v", warnings)
	}
}

func TestEachEndpointHasItsRules(t *testing.T) {
	strategy := NewMain(runtime.NewScheme(), transferRules())
	one, two := transfer("", "a", 1), transfer("", "b", 2)
	for name, test := range map[string]struct {
		errs field.ErrorList
		want string
	}{
		"create": {strategy.Validate(t.Context(), one), "create"},
		"update": {strategy.ValidateUpdate(t.Context(), one, one), "update"},
		"status": {NewStatus(strategy).ValidateUpdate(t.Context(), one, one), "status"},
	} {
		t.Run(name, func(t *testing.T) {
			if len(test.errs) != 1 || test.errs[0].Field != test.want {
				t.Errorf("errors %v", test.errs)
			}
		})
	}
	for name, test := range map[string]struct {
		warnings []string
		want     int
	}{
		"a new object is warned about":                {strategy.WarningsOnCreate(t.Context(), one), 1},
		"a changed spec is warned about":              {strategy.WarningsOnUpdate(t.Context(), two, one), 1},
		"changed metadata alone are not warned about": {strategy.WarningsOnUpdate(t.Context(), one, one), 0},
	} {
		t.Run(name, func(t *testing.T) {
			if len(test.warnings) != test.want {
				t.Errorf("warnings %v", test.warnings)
			}
		})
	}
}

func TestKindsDifferInScopeAndStatus(t *testing.T) {
	withStatus, without := NewMain(runtime.NewScheme(), transferRules()), NewMain(runtime.NewScheme(), cloneSourceRules())
	if withStatus.NamespaceScoped() || !without.NamespaceScoped() {
		t.Error("the scope is not that of the rules")
	}
	if fields := withStatus.GetResetFields(); len(fields) != 1 || fields["example.com/v1"].String() != ".status" {
		t.Errorf("the main endpoint resets %v", fields)
	}
	if fields := NewStatus(withStatus).GetResetFields(); fields["example.com/v1"].String() != ".metadata\n.spec" {
		t.Errorf("the status endpoint resets %v", fields)
	}
	if fields := without.GetResetFields(); fields != nil {
		t.Errorf("a kind without status resets %v", fields)
	}
	// It has no status to keep, no warnings, and nothing that is guarded.
	source := &cdi.VolumeCloneSource{Spec: cdi.VolumeCloneSourceSpec{PriorityClassName: new("high")}}
	without.PrepareForUpdate(t.Context(), source, &cdi.VolumeCloneSource{ObjectMeta: metav1.ObjectMeta{Generation: 1}})
	if source.Generation != 2 || without.WarningsOnCreate(t.Context(), source) != nil {
		t.Errorf("object %+v", source)
	}
}

func TestStateIsWrittenWithTheStatusByTheServerAlone(t *testing.T) {
	rules := transferRules()
	rules.StatusAnnotations = []string{"state"}
	strategy := NewStatus(NewMain(runtime.NewScheme(), rules))
	for name, test := range map[string]struct {
		who          string
		sent, stored map[string]string
		want         map[string]string
	}{
		"the server sets it":              {user.APIServerUser, map[string]string{"state": "new"}, nil, map[string]string{"state": "new"}},
		"the server changes it":           {user.APIServerUser, map[string]string{"state": "new"}, map[string]string{"state": "old"}, map[string]string{"state": "new"}},
		"the server removes it":           {user.APIServerUser, nil, map[string]string{"state": "old", "a": "b"}, map[string]string{"a": "b"}},
		"the server writes no others":     {user.APIServerUser, map[string]string{"a": "c"}, map[string]string{"a": "b"}, map[string]string{"a": "b"}},
		"a user who may write the status": {"alice", map[string]string{"state": "forged"}, map[string]string{"state": "old"}, map[string]string{"state": "old"}},
		"who nobody knows":                {"", map[string]string{"state": "forged"}, nil, nil},
	} {
		t.Run(name, func(t *testing.T) {
			ctx := context.Context(t.Context())
			if test.who != "" {
				ctx = request.WithUser(ctx, &user.DefaultInfo{Name: test.who})
			}
			sent, stored := transfer("", "a", 1), transfer("", "a", 1)
			sent.Annotations, stored.Annotations = test.sent, test.stored
			strategy.PrepareForUpdate(ctx, sent, stored)
			if diff := cmp.Diff(test.want, sent.Annotations); diff != "" {
				t.Errorf("annotations (-want +got):\n%s", diff)
			}
		})
	}
}

func TestGuardedAnnotations(t *testing.T) {
	strategy := NewMain(runtime.NewScheme(), transferRules())
	for name, test := range map[string]struct {
		who          string
		sent, stored map[string]string
		want         map[string]string
	}{
		"a user cannot set one":                {"alice", map[string]string{guarded: "forged", "a": "b"}, nil, map[string]string{"a": "b"}},
		"a user cannot change one":             {"alice", map[string]string{guarded: "forged"}, map[string]string{guarded: "true"}, map[string]string{guarded: "true"}},
		"a user cannot remove one":             {"alice", nil, map[string]string{guarded: "true"}, map[string]string{guarded: "true"}},
		"the server can":                       {user.APIServerUser, map[string]string{guarded: "new"}, map[string]string{guarded: "true"}, map[string]string{guarded: "new"}},
		"who nobody knows is not the server":   {"", map[string]string{guarded: "forged"}, nil, map[string]string{}},
		"others are everybody's, set or unset": {"alice", map[string]string{"a": "b"}, map[string]string{"a": "c", "d": "e"}, map[string]string{"a": "b"}},
	} {
		t.Run(name, func(t *testing.T) {
			ctx := context.Context(t.Context())
			if test.who != "" {
				ctx = request.WithUser(ctx, &user.DefaultInfo{Name: test.who})
			}
			sent, stored := transfer("", "a", 1), transfer("", "a", 1)
			sent.Annotations, stored.Annotations = test.sent, test.stored
			strategy.PrepareForUpdate(ctx, sent, stored)
			if diff := cmp.Diff(test.want, sent.Annotations); diff != "" {
				t.Errorf("annotations (-want +got):\n%s", diff)
			}
		})
	}
}
