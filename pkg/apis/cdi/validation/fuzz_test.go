// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package validation

import (
	"bytes"
	"math/rand"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	sigsyaml "sigs.k8s.io/yaml"

	"k8s.io/apimachinery/pkg/api/apitesting/fuzzer"
	metafuzzer "k8s.io/apimachinery/pkg/apis/meta/fuzzer"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"goldenimage.dev/pkg/apis/cdi"
	cdifuzzer "goldenimage.dev/pkg/apis/cdi/fuzzer"
	"goldenimage.dev/pkg/apis/cdi/install"
)

// seeds returns the documents in testdata as JSON.
func seeds(f *testing.F, pattern string) [][]byte {
	f.Helper()
	manifests, err := filepath.Glob(pattern)
	if err != nil || len(manifests) == 0 {
		f.Fatalf("manifests %v, error %v", manifests, err)
	}
	var documents [][]byte
	for _, manifest := range manifests {
		content, err := os.ReadFile(manifest)
		if err != nil {
			f.Fatal(err)
		}
		for text := range bytes.SplitSeq(content, []byte("\n---\n")) {
			document, err := sigsyaml.YAMLToJSON(text)
			if err != nil {
				f.Fatal(err)
			}
			documents = append(documents, document)
		}
	}
	return documents
}

// lenient reads documents as the server does unless it is told to be strict.
func lenient() runtime.Decoder {
	scheme := runtime.NewScheme()
	install.Install(scheme)
	return serializer.NewCodecFactory(scheme).UniversalDecoder(cdi.SchemeGroupVersion)
}

// said returns all errors and warnings for a DataImportCron, as one text.
func said(t *testing.T, cron *cdi.DataImportCron) string {
	t.Helper()
	errs := ValidateDataImportCron(cron)
	errs = append(errs, ValidateDataImportCronUpdate(cron, fedoraCron())...)
	errs = append(errs, ValidateDataImportCronUpdate(fedoraCron(), cron)...)
	errs = append(errs, ValidateDataImportCronStatusUpdate(cron, fedoraCron())...)
	var b strings.Builder
	for _, err := range errs {
		if err.Field == "" {
			t.Errorf("an error names no field: %v", err)
		}
		b.WriteString(err.Error() + "\n")
	}
	for _, text := range WarningsForDataImportCron(cron) {
		b.WriteString(text + "\n")
	}
	return b.String()
}

// withURL puts a URL wherever a DataImportCron may have one.
func withURL(cron *cdi.DataImportCron, url string) *cdi.DataImportCron {
	cron = cron.DeepCopy()
	source := everySource(url)
	source.Registry.URL = &url
	if had := cron.Spec.Template.Spec.Source; had != nil && had.Registry != nil {
		source.Registry.PullMethod, source.Registry.ImageStream = had.Registry.PullMethod, had.Registry.ImageStream
	}
	cron.Spec.Template.Spec.Source = source
	return cron
}

// passwordOf returns what may be a password in a URL, and the URL with another one in its
// place. A digest at its end is none, whatever stands before it.
func passwordOf(url string) (password, other string) {
	_, rest, found := strings.Cut(url, "://")
	if !found {
		rest = url
	}
	name := strings.TrimSuffix(rest, digestAtEnd.FindString(rest))
	at := strings.LastIndexByte(name, '@')
	if at < 0 {
		return "", ""
	}
	_, password, _ = strings.Cut(name[:at], ":")
	// Fewer characters than these are found in any text.
	if len(password) < 6 {
		return "", ""
	}
	return password, strings.TrimSuffix(url, rest) + "user:another-Zq9@" + rest[at+1:]
}

// FuzzDataImportCron checks that no document makes the rules panic, that each error says
// where it is, and that none repeats a password.
func FuzzDataImportCron(f *testing.F) {
	urls := []string{
		"docker://quay.io/fedora:40", "docker://user:hunter2@quay.io/fedora", "https://user:hunter2@host/disk", "user:hunter2@sha256:abc/d", "ftp://user:hun%40ter2@host",
		"docker://user:hunter2@quay.io/fedora@sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", "http://user:hun@ter2@[::1]:x", "oci-archive:user:hunter2@a",
	}
	for _, document := range seeds(f, "testdata/cron.yaml") {
		for _, url := range urls {
			f.Add(document, url)
		}
	}
	codec := lenient()
	f.Fuzz(func(t *testing.T, document []byte, url string) {
		obj, _, err := codec.Decode(document, nil, nil)
		if err != nil {
			return
		}
		cron, ok := obj.(*cdi.DataImportCron)
		if !ok {
			return
		}
		said(t, cron)
		password, other := passwordOf(url)
		text := said(t, withURL(cron, url))
		if password == "" || !strings.Contains(text, password) {
			return
		}
		// It may be there for another reason: it is a word of a message, or of the document.
		if !strings.Contains(said(t, withURL(cron, other)), password) {
			t.Errorf("the password %q of %q is in\n%s", password, url, text)
		}
	})
}

// FuzzDocument checks that no document of any kind makes the rules panic.
func FuzzDocument(f *testing.F) {
	for _, document := range seeds(f, "testdata/*.yaml") {
		f.Add(document)
	}
	codec := lenient()
	f.Fuzz(func(t *testing.T, document []byte) {
		obj, _, err := codec.Decode(document, nil, nil)
		if err != nil {
			return
		}
		if rules, known := kinds()[kindOf(obj)]; known {
			hold(t, rules, obj)
		}
	})
}

// FuzzObject does the same for objects that are filled at random, in every field.
func FuzzObject(f *testing.F) {
	for seed := range int64(50) {
		f.Add(seed)
	}
	scheme := runtime.NewScheme()
	install.Install(scheme)
	codecs := serializer.NewCodecFactory(scheme)
	funcs := fuzzer.MergeFuzzerFuncs(metafuzzer.Funcs, cdifuzzer.Funcs)
	f.Fuzz(func(t *testing.T, seed int64) {
		filler := fuzzer.FuzzerFor(funcs, rand.NewSource(seed), codecs)
		for kind, rules := range kinds() {
			obj, err := scheme.New(cdi.SchemeGroupVersion.WithKind(kind))
			if err != nil {
				t.Fatal(err)
			}
			filler.Fill(obj)
			hold(t, rules, obj)
		}
	})
}

// hold holds an object to its rules. An update that changes nothing is never wrong.
func hold(t *testing.T, rules rule, obj runtime.Object) {
	t.Helper()
	stored := obj.DeepCopyObject()
	if errs := append(rules.update(obj, stored), statusOf(obj, stored)...); len(errs) > 0 {
		t.Errorf("nothing changes, and it is wrong: %v", errs)
	}
	rules.warnings(obj)
	empty := reflect.New(reflect.TypeOf(obj).Elem()).Interface().(runtime.Object)
	errs := append(rules.create(obj), rules.update(obj, empty)...)
	errs = append(errs, rules.update(empty, obj)...)
	errs = append(errs, statusOf(obj, empty)...)
	for _, err := range errs {
		if err.Field == "" {
			t.Errorf("an error names no field: %v", err)
		}
	}
	if diff := cmp.Diff(stored, obj); diff != "" {
		t.Errorf("the rules changed the object (-before +after):\n%s", diff)
	}
}

// statusOf holds an object's status to the rules, where it is not what is stored.
func statusOf(obj, stored runtime.Object) field.ErrorList {
	switch obj := obj.(type) {
	case *cdi.DataImportCron:
		return ValidateDataImportCronStatusUpdate(obj, stored.(*cdi.DataImportCron))
	case *cdi.DataSource:
		return ValidateDataSourceStatusUpdate(obj, stored.(*cdi.DataSource))
	case *cdi.DataVolume:
		return ValidateDataVolumeStatusUpdate(obj, stored.(*cdi.DataVolume))
	case *cdi.StorageProfile:
		return ValidateStorageProfileStatusUpdate(obj, stored.(*cdi.StorageProfile))
	case *cdi.CDIConfig:
		return ValidateCDIConfigStatusUpdate(obj, stored.(*cdi.CDIConfig))
	case *cdi.CDI:
		return ValidateCDIStatusUpdate(obj, stored.(*cdi.CDI))
	case *cdi.ObjectTransfer:
		return ValidateObjectTransferStatusUpdate(obj, stored.(*cdi.ObjectTransfer))
	}
	return nil
}
