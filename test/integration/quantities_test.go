// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/types"
)

// sized is a manifest with a quantity.
type sized struct {
	resource string
	// manifest has NAME and SIZE in it, patch SIZE, pointer is where the size is.
	manifest, patch, pointer string
	// field is how the answer names it.
	field string
}

func sizedKinds() map[string]sized {
	const size = `{"storage":{"resources":{"requests":{"storage":"SIZE"}}}}`
	return map[string]sized{
		"DataVolume": {
			resource: "datavolumes",
			manifest: `{"apiVersion":"cdi.kubevirt.io/v1beta1","kind":"DataVolume","metadata":{"name":"NAME"},
				"spec":{"source":{"pvc":{"namespace":"golden-images","name":"p"}},"storage":{"resources":{"requests":{"storage":"SIZE"}}}}}`,
			patch:   `{"spec":` + size + `}`,
			pointer: "/spec/storage/resources/requests/storage",
			field:   "spec.storage.resources.requests.storage",
		},
		"DataImportCron": {
			resource: "dataimportcrons",
			manifest: strings.ReplaceAll(documented, "5Gi", "SIZE"),
			patch:    `{"spec":{"template":{"spec":` + size + `}}}`,
			pointer:  "/spec/template/spec/storage/resources/requests/storage",
			field:    "spec.template.spec.storage.resources.requests.storage",
		},
	}
}

// A write is one way to write an object.
type write struct {
	method, contentType, query string
	// body with NAME and SIZE in it.
	body string
}

func (s sized) writes(version string) map[string]write {
	replaced := strings.Replace(s.manifest, `"NAME"`, `"NAME","resourceVersion":"`+version+`"`, 1)
	merged := func(kind types.PatchType) write {
		return write{method: http.MethodPatch, contentType: string(kind), body: s.patch}
	}
	return map[string]write{
		"a create":                {http.MethodPost, "application/json", "", s.manifest},
		"a create in YAML":        {http.MethodPost, "application/yaml", "", s.manifest},
		"a PUT":                   {http.MethodPut, "application/json", "", replaced},
		"a merge patch":           merged(types.MergePatchType),
		"a strategic merge patch": merged(types.StrategicMergePatchType),
		"a JSON patch": {http.MethodPatch, string(types.JSONPatchType), "",
			`[{"op":"replace","path":"` + s.pointer + `","value":"SIZE"}]`},
		"server-side apply": {http.MethodPatch, string(types.ApplyYAMLPatchType), "tester", s.manifest},
	}
}

func (s sized) send(t *testing.T, on *server, w write, name, size string) error {
	t.Helper()
	// One that is not refused takes hours.
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	request := on.client.CdiV1beta1().RESTClient().Verb(w.method).Namespace(namespace).Resource(s.resource)
	if w.method != http.MethodPost {
		request = request.Name(name)
	}
	if w.query != "" {
		request = request.Param("fieldManager", w.query).Param("force", "true")
	}
	body := strings.NewReplacer("NAME", name, "SIZE", size).Replace(w.body)
	return request.SetHeader("Content-Type", w.contentType).Body([]byte(body)).Do(ctx).Error()
}

func TestAbsurdQuantities(t *testing.T) {
	s := start(t, dataDir(t))
	for kind, on := range sizedKinds() {
		t.Run(kind, func(t *testing.T) {
			const name = "sized"
			if err := on.send(t, s, on.writes("")["a create"], name, "5Gi"); err != nil {
				t.Fatal(err)
			}
			version := versionOf(t, s, on.resource, name)
			for how, w := range on.writes(version) {
				for _, size := range []string{"1e-2000000000", "1e999999999"} {
					err := on.send(t, s, w, name, size)
					if !apierrors.IsBadRequest(err) || !strings.Contains(err.Error(), on.field+`: "`+size+`"`) {
						t.Errorf("%s with %s: got %v, want 400 about %s", how, size, err, on.field)
					}
				}
			}
			if now := versionOf(t, s, on.resource, name); now != version {
				t.Errorf("the object was written: version %s, then %s", version, now)
			}
		})
	}
}

func TestOrdinaryQuantities(t *testing.T) {
	s := start(t, dataDir(t))
	for kind, on := range sizedKinds() {
		t.Run(kind, func(t *testing.T) {
			const name = "sized"
			if err := on.send(t, s, on.writes("")["a create"], name, "5Gi"); err != nil {
				t.Fatal(err)
			}
			for how := range on.writes("") {
				target := name
				if strings.HasPrefix(how, "a create") {
					target = strings.ToLower(strings.ReplaceAll(how, " ", "-"))
				}
				w := on.writes(versionOf(t, s, on.resource, name))[how]
				if err := on.send(t, s, w, target, "5Gi"); err != nil {
					t.Errorf("%s: %v", how, err)
				}
			}
		})
	}
}

// TestQuantitiesCannotBeCopied sends what the body alone does not tell: the value is in an
// annotation, where it is welcome.
func TestQuantitiesCannotBeCopied(t *testing.T) {
	s := start(t, dataDir(t))
	on := sizedKinds()["DataVolume"]
	w := on.writes("")["a create"]
	w.body = strings.Replace(w.body, `"NAME"`, `"NAME","annotations":{"a":"1e-2000000000"}`, 1)
	if err := on.send(t, s, w, "copied", "5Gi"); err != nil {
		t.Fatal(err)
	}
	patch := write{method: http.MethodPatch, contentType: string(types.JSONPatchType),
		body: `[{"op":"copy","from":"/metadata/annotations/a","path":"` + on.pointer + `"}]`}
	if err := on.send(t, s, patch, "copied", ""); !apierrors.IsBadRequest(err) || !strings.Contains(err.Error(), "send the value itself") {
		t.Errorf("got %v, want 400", err)
	}
}

func versionOf(t *testing.T, s *server, resource, name string) string {
	t.Helper()
	object, err := s.client.CdiV1beta1().RESTClient().Get().Namespace(namespace).Resource(resource).Name(name).Do(t.Context()).Get()
	if err != nil {
		t.Fatal(err)
	}
	accessor, err := meta.Accessor(object)
	if err != nil {
		t.Fatal(err)
	}
	return accessor.GetResourceVersion()
}
