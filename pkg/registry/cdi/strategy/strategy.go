// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package strategy

import (
	"context"
	"maps"

	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"

	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"k8s.io/apiserver/pkg/authentication/user"
	"k8s.io/apiserver/pkg/endpoints/request"
	"k8s.io/apiserver/pkg/registry/rest"
	"k8s.io/apiserver/pkg/storage/names"
)

// An Object is a pointer to an internal API object of type T.
type Object[T any] interface {
	*T
	metav1.Object
	runtime.Object
}

// Rules are what a resource's strategies consist of. All fields are required but
// ClusterScoped, Guarded, StatusAnnotations and Warnings; a resource without a status has no CopyStatus and no
// ValidateStatusUpdate.
type Rules[T any, P Object[T]] struct {
	// APIVersion is the version that clients use, such as group/v1.
	APIVersion string
	// ClusterScoped objects have no namespace.
	ClusterScoped bool
	// Spec returns a pointer to the object's spec.
	Spec func(P) any
	// CopySpec and CopyStatus copy a part from one object to another.
	CopySpec, CopyStatus func(to, from P)
	// Validate checks a new object, ValidateUpdate a changed one, ValidateStatusUpdate one
	// whose status was written.
	Validate             func(P) field.ErrorList
	ValidateUpdate       func(updated, old P) field.ErrorList
	ValidateStatusUpdate func(updated, old P) field.ErrorList
	// Guarded names annotations that the server alone writes; what others write there is
	// dropped. Nil means none.
	Guarded []string
	// StatusAnnotations names annotations that are state: the server itself may write them by
	// /status, together with the status that they belong to. Nil means none.
	StatusAnnotations []string
	// Warnings returns what is legal but odd. Nil means none.
	Warnings func(P) []string
}

// A Main is the strategy of a resource's main endpoint.
type Main[T any, P Object[T]] struct {
	runtime.ObjectTyper
	names.NameGenerator
	rules Rules[T, P]
}

// NewMain returns the strategy of the main endpoint.
func NewMain[T any, P Object[T]](typer runtime.ObjectTyper, rules Rules[T, P]) *Main[T, P] {
	return &Main[T, P]{ObjectTyper: typer, NameGenerator: names.SimpleNameGenerator, rules: rules}
}

// NamespaceScoped tells whether objects have a namespace.
func (s *Main[T, P]) NamespaceScoped() bool { return !s.rules.ClusterScoped }

// AllowCreateOnUpdate is false: a PUT creates nothing, as with custom resources.
func (*Main[T, P]) AllowCreateOnUpdate(context.Context) bool { return false }

// AllowUnconditionalUpdate is false: a PUT names the version it replaces, as with custom resources.
func (*Main[T, P]) AllowUnconditionalUpdate(context.Context) bool { return false }

// Canonicalize does nothing.
func (*Main[T, P]) Canonicalize(runtime.Object) {}

// PrepareForCreate drops the status and begins to count generations.
func (s *Main[T, P]) PrepareForCreate(ctx context.Context, obj runtime.Object) {
	created := obj.(P)
	s.rules.keepStatus(created, P(new(T)))
	s.guard(ctx, created, nil)
	created.SetGeneration(1)
}

// PrepareForUpdate keeps the old status and counts a change of the spec.
func (s *Main[T, P]) PrepareForUpdate(ctx context.Context, obj, old runtime.Object) {
	updated, previous := obj.(P), old.(P)
	s.guard(ctx, updated, previous.GetAnnotations())
	s.rules.keepStatus(updated, previous)
	updated.SetGeneration(previous.GetGeneration())
	if !equality.Semantic.DeepEqual(s.rules.Spec(updated), s.rules.Spec(previous)) {
		updated.SetGeneration(previous.GetGeneration() + 1)
	}
}

// guard puts the guarded annotations back to what they were, unless the server itself writes.
func (s *Main[T, P]) guard(ctx context.Context, obj P, before map[string]string) {
	if !byServer(ctx) {
		obj.SetAnnotations(replaced(obj.GetAnnotations(), before, s.rules.Guarded))
	}
}

// byServer tells whether the server itself asks.
func byServer(ctx context.Context) bool {
	who, ok := request.UserFrom(ctx)
	return ok && who.GetName() == user.APIServerUser
}

// replaced returns annotations whose named ones are as in others.
func replaced(annotations, others map[string]string, named []string) map[string]string {
	annotations = maps.Clone(annotations)
	for _, name := range named {
		delete(annotations, name)
		if value, ok := others[name]; ok {
			if annotations == nil {
				annotations = map[string]string{}
			}
			annotations[name] = value
		}
	}
	return annotations
}

// Validate checks a new object.
func (s *Main[T, P]) Validate(_ context.Context, obj runtime.Object) field.ErrorList {
	return append(validateTimes(obj), s.rules.Validate(obj.(P))...)
}

// ValidateUpdate checks a changed object.
func (s *Main[T, P]) ValidateUpdate(_ context.Context, obj, old runtime.Object) field.ErrorList {
	return append(validateTimes(obj), s.rules.ValidateUpdate(obj.(P), old.(P))...)
}

// WarningsOnCreate returns what is legal but odd.
func (s *Main[T, P]) WarningsOnCreate(_ context.Context, obj runtime.Object) []string {
	return s.warnings(obj.(P))
}

// WarningsOnUpdate returns what is legal but odd, if the spec changed.
func (s *Main[T, P]) WarningsOnUpdate(_ context.Context, obj, old runtime.Object) []string {
	if obj.(P).GetGeneration() == old.(P).GetGeneration() {
		return nil
	}
	return s.warnings(obj.(P))
}

func (s *Main[T, P]) warnings(obj P) []string {
	if s.rules.Warnings == nil {
		return nil
	}
	return s.rules.Warnings(obj)
}

// GetResetFields names what the main endpoint does not write, so that server-side apply does
// not claim it.
func (s *Main[T, P]) GetResetFields() map[fieldpath.APIVersion]*fieldpath.Set {
	if s.rules.CopyStatus == nil {
		return nil
	}
	return s.rules.resetFields("status")
}

// A Status is the strategy of a resource's /status.
type Status[T any, P Object[T]] struct {
	*Main[T, P]
}

// NewStatus returns the strategy of /status that belongs to a main endpoint's.
func NewStatus[T any, P Object[T]](main *Main[T, P]) *Status[T, P] {
	return &Status[T, P]{Main: main}
}

// PrepareForUpdate keeps all but the status (and who manages which field), and of the server's
// own writes the annotations that are state.
func (s *Status[T, P]) PrepareForUpdate(ctx context.Context, obj, old runtime.Object) {
	updated, previous := obj.(P), old.(P)
	s.rules.CopySpec(updated, previous)
	updated.SetGeneration(previous.GetGeneration())
	updated.SetLabels(previous.GetLabels())
	annotations := previous.GetAnnotations()
	if byServer(ctx) {
		annotations = replaced(annotations, updated.GetAnnotations(), s.rules.StatusAnnotations)
	}
	updated.SetAnnotations(annotations)
	updated.SetFinalizers(previous.GetFinalizers())
	updated.SetOwnerReferences(previous.GetOwnerReferences())
}

// ValidateUpdate checks the status.
func (s *Status[T, P]) ValidateUpdate(_ context.Context, obj, old runtime.Object) field.ErrorList {
	return append(validateTimes(obj), s.rules.ValidateStatusUpdate(obj.(P), old.(P))...)
}

// WarningsOnUpdate returns nothing: who writes status cannot change the spec.
func (*Status[T, P]) WarningsOnUpdate(context.Context, runtime.Object, runtime.Object) []string {
	return nil
}

// GetResetFields names what /status does not write.
func (s *Status[T, P]) GetResetFields() map[fieldpath.APIVersion]*fieldpath.Set {
	return s.rules.resetFields("spec", "metadata")
}

// keepStatus gives an object the status of another one, if the kind has one.
func (r Rules[T, P]) keepStatus(to, from P) {
	if r.CopyStatus != nil {
		r.CopyStatus(to, from)
	}
}

func (r Rules[T, P]) resetFields(names ...string) map[fieldpath.APIVersion]*fieldpath.Set {
	set := fieldpath.NewSet()
	for _, name := range names {
		set.Insert(fieldpath.MakePathOrDie(name))
	}
	return map[fieldpath.APIVersion]*fieldpath.Set{fieldpath.APIVersion(r.APIVersion): set}
}

var (
	_ rest.RESTCreateStrategy  = &Main[dummy, *dummy]{}
	_ rest.RESTUpdateStrategy  = &Main[dummy, *dummy]{}
	_ rest.RESTDeleteStrategy  = &Main[dummy, *dummy]{}
	_ rest.ResetFieldsStrategy = &Main[dummy, *dummy]{}
	_ rest.ResetFieldsStrategy = &Status[dummy, *dummy]{}
)

// dummy stands in for a resource in the assertions above.
type dummy struct {
	metav1.TypeMeta
	metav1.ObjectMeta
}

// DeepCopyObject makes dummy a runtime.Object.
func (d *dummy) DeepCopyObject() runtime.Object { c := *d; return &c }
