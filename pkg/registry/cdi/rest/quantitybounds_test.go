// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package rest

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apiserver/pkg/endpoints/request"

	"goldenimage.dev/pkg/apis/cdi/install"
	"goldenimage.dev/pkg/apis/cdi/v1beta1"
)

// TestQuantitiesAreWhereTheFilterLooks fails if a type of the group gets a quantity under
// another key.
func TestQuantitiesAreWhereTheFilterLooks(t *testing.T) {
	scheme := runtime.NewScheme()
	install.Install(scheme)
	seen, found := map[reflect.Type]bool{}, 0
	var look func(kind reflect.Type, path string, counts bool)
	look = func(kind reflect.Type, path string, counts bool) {
		if kind == reflect.TypeFor[resource.Quantity]() {
			if found++; !counts {
				t.Errorf("%s is a quantity that the filter does not look at", path)
			}
			return
		}
		switch kind.Kind() {
		case reflect.Pointer, reflect.Slice, reflect.Array, reflect.Map:
			look(kind.Elem(), path, counts)
		case reflect.Struct:
			if seen[kind] {
				return
			}
			seen[kind] = true
			for field := range kind.Fields() {
				key, _, _ := strings.Cut(field.Tag.Get("json"), ",")
				look(field.Type, path+"."+key, counts || holdsQuantities(key))
			}
		default:
		}
	}
	for kind, goType := range scheme.KnownTypes(v1beta1.SchemeGroupVersion) {
		look(goType, kind, false)
	}
	if found == 0 {
		t.Error("no quantity is found")
	}
}

func FuzzBoundedQuantities(f *testing.F) {
	for _, body := range []string{
		volume(`"1e-2000000000"`), volume(`"10Gi"`), volume("1e9999"), "requests: {storage: 1e9999}", `requests: !!binary "\x65"`,
		operation("add", "/requests/a~1b", `"value":"1e9999"`), operation("copy", "/limits", `"from":"/a"`), `{"requests":[1e9999]}`, `]}`,
	} {
		for kind := range uint8(6) {
			f.Add(kind, []byte(body))
		}
	}
	s := newSender()
	f.Fuzz(func(t *testing.T, kind uint8, body []byte) {
		contentType := []string{asJSON, asYAML, asMerge, asStrategic, asPatch, asApply}[kind%6]
		s.called, s.got = false, nil
		answer := s.send(methodOf(contentType), contentType, "cdi.kubevirt.io", bytes.NewReader(body))
		if s.called == (answer.Code == http.StatusBadRequest) {
			t.Errorf("the handler is called: %t; answer %d %s", s.called, answer.Code, answer.Body)
		}
		if s.called && !bytes.Equal(s.got, body) {
			t.Errorf("the handler got %q of %q", s.got, body)
		}
	})
}

// FuzzAbsurdNumbers checks that no number that passes takes long, and that the quick look sees
// each that does not.
func FuzzAbsurdNumbers(f *testing.F) {
	for _, number := range []string{"1e-2000000000", "e9999", "-.5E+1000", "10Gi", strings.Repeat("7", 101), "1e1000", " 12e45678"} {
		f.Add(number)
	}
	f.Fuzz(func(t *testing.T, number string) {
		if numberRefusal(number) != "" {
			if !mayBeAbsurd([]byte(number)) {
				t.Errorf("the quick look does not see %q", number)
			}
			return
		}
		began := time.Now()
		quantity, err := resource.ParseQuantity(strings.TrimSpace(number))
		if err != nil {
			return
		}
		other := resource.MustParse("1n")
		quantity.Cmp(other)
		other.Cmp(quantity)
		if took := time.Since(began); took > time.Second {
			t.Errorf("%q takes %s", number, took)
		}
	})
}

func BenchmarkBoundedQuantities(b *testing.B) {
	annotations := strings.Repeat(`"example.com/note":"a word and 12 more, then a digest: 5e9fab",`, 30)
	body := []byte(strings.Replace(volume(`"10Gi"`), `"name"`, `"annotations":{`+strings.TrimSuffix(annotations, ",")+`},"name"`, 1))
	filter := WithBoundedQuantities(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}), nil)
	req := httptest.NewRequest(http.MethodPost, "/", nil)
	req.Header.Set("Content-Type", asJSON)
	info := &request.RequestInfo{IsResourceRequest: true, APIGroup: "cdi.kubevirt.io", Resource: "datavolumes"}
	req = req.WithContext(request.WithRequestInfo(req.Context(), info))
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		req.Body = io.NopCloser(bytes.NewReader(body))
		filter.ServeHTTP(nil, req)
	}
}
