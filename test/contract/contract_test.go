// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package contract

import (
	"encoding/json"
	"math/rand"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	cdi "kubevirt.io/containerized-data-importer-api/pkg/apis/core/v1beta1"
	kjson "sigs.k8s.io/json"
	"sigs.k8s.io/randfill"

	"k8s.io/apimachinery/pkg/api/apitesting/fuzzer"
	apiequality "k8s.io/apimachinery/pkg/api/equality"
	metafuzzer "k8s.io/apimachinery/pkg/apis/meta/fuzzer"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"

	internal "goldenimage.dev/pkg/apis/cdi"
	"goldenimage.dev/pkg/apis/cdi/install"
	"goldenimage.dev/pkg/apis/cdi/v1beta1"
)

// rounds of random objects per kind.
const rounds = 200

func newFiller(t *testing.T) *randfill.Filler {
	t.Helper()
	// The seed is in the output, so that a failure can be had again.
	seed := rand.Int63()
	t.Logf("seed %d", seed)
	return fuzzer.FuzzerFor(metafuzzer.Funcs, rand.NewSource(seed), serializer.NewCodecFactory(runtime.NewScheme()))
}

// newObject returns an empty object of a type.
func newObject(typ reflect.Type) any { return reflect.New(typ).Interface() }

func encode(t testing.TB, object any) []byte {
	t.Helper()
	data, err := json.Marshal(object)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// decode reads a document as the API server does: capitals count. It fails on fields that
// the type does not have.
func decode(t *testing.T, data []byte, into any) {
	t.Helper()
	unknown, err := kjson.UnmarshalStrict(data, into)
	if err != nil || len(unknown) > 0 {
		t.Fatalf("decode into %T: %v %v\n%s", into, err, unknown, data)
	}
}

func mustEqual(t *testing.T, want, got any) {
	t.Helper()
	if !apiequality.Semantic.DeepEqual(want, got) {
		t.Fatalf("changed (-before +after):\n%s", cmp.Diff(want, got))
	}
}

func TestTheirObjectsSurviveOurTypes(t *testing.T) {
	for name, kind := range kinds(t) {
		t.Run(name, func(t *testing.T) {
			filler := newFiller(t)
			for range rounds {
				theirs, ours, back := newObject(kind.theirs), newObject(kind.ours), newObject(kind.theirs)
				filler.Fill(theirs)
				decode(t, encode(t, theirs), ours)
				decode(t, encode(t, ours), back)
				mustEqual(t, theirs, back)
			}
		})
	}
}

func TestOurObjectsSurviveTheirTypes(t *testing.T) {
	for name, kind := range kinds(t) {
		t.Run(name, func(t *testing.T) {
			filler := newFiller(t)
			for range rounds {
				filled, ours, theirs, back := newObject(kind.ours), newObject(kind.ours), newObject(kind.theirs), newObject(kind.ours)
				filler.Fill(filled)
				known := withoutAdditive(t, name, encode(t, filled))
				decode(t, known, ours)
				decode(t, known, theirs)
				decode(t, encode(t, theirs), back)
				mustEqual(t, ours, back)
			}
		})
	}
}

// TestOldClientsDropOnlyWhatIsAdditive reads our whole documents as an old client does, which
// ignores what it does not know.
func TestOldClientsDropOnlyWhatIsAdditive(t *testing.T) {
	for name, kind := range kinds(t) {
		t.Run(name, func(t *testing.T) {
			filler := newFiller(t)
			for range rounds {
				filled, want, theirs, back := newObject(kind.ours), newObject(kind.ours), newObject(kind.theirs), newObject(kind.ours)
				filler.Fill(filled)
				data := encode(t, filled)
				if err := kjson.UnmarshalCaseSensitivePreserveInts(data, theirs); err != nil {
					t.Fatal(err)
				}
				decode(t, withoutAdditive(t, name, data), want)
				decode(t, encode(t, theirs), back)
				mustEqual(t, want, back)
			}
		})
	}
}

// TestTheirObjectsSurviveTheServer sends objects along the way of a request: decode, default,
// convert to the internal version, and back as for storage and the reply.
func TestTheirObjectsSurviveTheServer(t *testing.T) {
	scheme := runtime.NewScheme()
	install.Install(scheme)
	codecs := serializer.NewCodecFactory(scheme)
	decoder, encoder := codecs.UniversalDecoder(internal.SchemeGroupVersion), codecs.LegacyCodec(v1beta1.SchemeGroupVersion)
	for name, kind := range kinds(t) {
		t.Run(name, func(t *testing.T) {
			filler := newFiller(t)
			for range rounds {
				theirs, back := newObject(kind.theirs), newObject(kind.theirs)
				filler.Fill(theirs)
				withKind(t, theirs, name)
				fillIn(theirs)
				decoded, err := runtime.Decode(decoder, encode(t, theirs))
				if err != nil {
					t.Fatal(err)
				}
				if got := reflect.TypeOf(decoded).Elem().PkgPath(); got != "goldenimage.dev/pkg/apis/cdi" {
					t.Fatalf("decoded to a type of %s", got)
				}
				data, err := runtime.Encode(encoder, decoded)
				if err != nil {
					t.Fatal(err)
				}
				decode(t, data, back)
				mustEqual(t, theirs, back)
			}
		})
	}
}

func withKind(t testing.TB, object any, kind string) {
	t.Helper()
	typed, ok := object.(runtime.Object)
	if !ok {
		t.Fatalf("%T is not an object", object)
	}
	typed.GetObjectKind().SetGroupVersionKind(v1beta1.SchemeGroupVersion.WithKind(kind))
}

// fillIn gives DataImportCrons what the server would.
func fillIn(object any) {
	switch object := object.(type) {
	case *cdi.DataImportCron:
		fillInCron(object)
	case *cdi.DataImportCronList:
		for i := range object.Items {
			fillInCron(&object.Items[i])
		}
	}
}

// fillInCron sets what CDI leaves open, and names the kind of the template, which random
// objects do not.
func fillInCron(cron *cdi.DataImportCron) {
	cron.Spec.Template.SetGroupVersionKind(cdi.SchemeGroupVersion.WithKind("DataVolume"))
	if cron.Spec.GarbageCollect == nil {
		cron.Spec.GarbageCollect = new(cdi.DataImportCronGarbageCollectOutdated)
	}
	if cron.Spec.ImportsToKeep == nil {
		cron.Spec.ImportsToKeep = new(int32(3))
	}
	if cron.Spec.RetentionPolicy == nil {
		cron.Spec.RetentionPolicy = new(cdi.DataImportCronRetainAll)
	}
}

// withoutAdditive removes the fields of the table from a document.
func withoutAdditive(t *testing.T, kind string, data []byte) []byte {
	t.Helper()
	var document map[string]any
	if err := kjson.UnmarshalCaseSensitivePreserveInts(data, &document); err != nil {
		t.Fatal(err)
	}
	for path := range additive() {
		if below, ok := strings.CutPrefix(path, kind+"."); ok {
			remove(document, strings.Split(below, "."))
		}
	}
	return encode(t, document)
}

// remove deletes a field at a path, in all members of a list where the path ends in [].
func remove(value any, path []string) {
	object, ok := value.(map[string]any)
	if !ok {
		return
	}
	if len(path) == 1 {
		delete(object, path[0])
		return
	}
	name, isList := strings.CutSuffix(path[0], "[]")
	if !isList {
		remove(object[name], path[1:])
		return
	}
	list, _ := object[name].([]any)
	for _, member := range list {
		remove(member, path[1:])
	}
}
