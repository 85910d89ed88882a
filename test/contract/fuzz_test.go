// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package contract

import (
	"maps"
	"math/rand"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/randfill"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/apitesting/fuzzer"
	"k8s.io/apimachinery/pkg/api/equality"
	metafuzzer "k8s.io/apimachinery/pkg/apis/meta/fuzzer"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"

	internal "goldenimage.dev/pkg/apis/cdi"
	"goldenimage.dev/pkg/apis/cdi/install"
	"goldenimage.dev/pkg/apis/cdi/v1beta1"
)

// FuzzRoundTrip reads bytes as the server reads a request that asks for strictness, writes
// what came of them as it writes to storage, and reads that again: the object is the same. An
// object that is written and cannot be read again would be in the way of every list. Left out
// are objects with a time of a year that JSON cannot say once it is in UTC: the codec would
// write them, so that it is validation that has to refuse them.
func FuzzRoundTrip(f *testing.F) {
	for _, document := range seeds(f) {
		f.Add(document)
	}
	f.Add([]byte(`{"kind":"DataSource","apiVersion":"cdi.kubevirt.io/v1beta1","metadata":{"creationTimestamp":"9999-12-31T23:59:59-01:00"}}`))
	scheme := runtime.NewScheme()
	install.Install(scheme)
	codecs := serializer.NewCodecFactory(scheme, serializer.EnableStrict)
	decoder, encoder := codecs.UniversalDecoder(internal.SchemeGroupVersion), codecs.LegacyCodec(v1beta1.SchemeGroupVersion)
	same := equality.Semantic.Copy()
	// A time is written in whole seconds.
	if err := same.AddFunc(func(a, b metav1.Time) bool { return a.Truncate(time.Second).Equal(b.Truncate(time.Second)) }); err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, document []byte) {
		sent, err := runtime.Decode(decoder, document)
		if err != nil || !writable(reflect.ValueOf(sent)) {
			return
		}
		stored, err := runtime.Encode(encoder, sent)
		if err != nil {
			t.Fatal(err)
		}
		read, err := runtime.Decode(decoder, stored)
		if err != nil {
			t.Fatalf("what was written cannot be read: %v\n%s", err, stored)
		}
		if !same.DeepEqual(sent, read) {
			t.Errorf("changed (-sent +read):\n%s", cmp.Diff(sent, read))
		}
	})
}

// writable tells whether all times in a value can be written as JSON, whose years have four
// digits.
func writable(value reflect.Value) bool {
	switch value.Kind() {
	case reflect.Pointer:
		return value.IsNil() || writable(value.Elem())
	case reflect.Slice:
		for i := range value.Len() {
			if !writable(value.Index(i)) {
				return false
			}
		}
	case reflect.Struct:
		if at, ok := reflect.TypeAssert[metav1.Time](value); ok {
			year := at.UTC().Year()
			return 0 <= year && year <= 9999
		}
		for member, below := range value.Fields() {
			if member.IsExported() && !writable(below) {
				return false
			}
		}
	default: // Nothing else holds a time.
	}
	return true
}

// seeds are a full and an empty document of each kind. They are short, since the fuzzer spends
// its time on making long ones shorter.
func seeds(f *testing.F) [][]byte {
	f.Helper()
	var documents [][]byte
	filler := fuzzer.FuzzerFor(metafuzzer.Funcs, rand.NewSource(1), serializer.NewCodecFactory(runtime.NewScheme())).
		NilChance(0).NumElements(1, 1).Funcs(
		func(text *string, c randfill.Continue) { *text = string(rune('a' + c.Intn(26))) },
		func(affinity *corev1.Affinity, _ randfill.Continue) { *affinity = corev1.Affinity{} },
	)
	types := typesOf(f, v1beta1.AddToScheme, v1beta1.SchemeGroupVersion)
	for _, name := range slices.Sorted(maps.Keys(types)) {
		full, empty := newObject(types[name]), newObject(types[name])
		filler.Fill(full)
		for _, object := range []any{full, empty} {
			withKind(f, object, name)
			documents = append(documents, encode(f, object))
		}
	}
	return documents
}
