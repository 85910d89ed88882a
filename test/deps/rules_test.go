// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package deps

import (
	"slices"
	"testing"
)

// A rule says what the packages that match a pattern may import. Patterns are paths below the
// module, or whole import paths of others; "std" is the standard library, "ours" all of this
// module. A * stands for one element, ** for any number, none included.
type rule struct {
	// packages that the rule is for.
	packages string
	// direct, if not nil, is all that they may import themselves. Their own package and those
	// below it always may be.
	direct []string
	// never is what they may not import themselves.
	never []string
	// reach is what they may not import by way of others either.
	reach []string
	// except is taken from never and reach.
	except []string
}

const (
	kubernetes = "k8s.io/**"
	apiserver  = "k8s.io/apiserver/**"
	clientgo   = "k8s.io/client-go/**"
)

// shared are the packages that controllers use and that are neither controllers nor kinds of
// sources.
func shared() []string {
	return []string{"pkg/controllers/runner", "pkg/controllers/status", "pkg/controllers/access", "pkg/controllers/lineage", "pkg/sources/polite"}
}

// rules is the table. The three arrows are: cmd to registry, controllers and kinds of sources;
// all of these to apis. Registry and controllers meet in the stored object alone.
func rules() []rule {
	return []rule{
		// What everybody may know knows little.
		{
			packages: "pkg/apis/cdi",
			direct:   []string{"std", "k8s.io/api/**", "k8s.io/apimachinery/**"},
			reach:    []string{clientgo, apiserver},
		},
		{
			packages: "pkg/apis/cdi/v1beta1",
			direct:   []string{"std", "k8s.io/api/**", "k8s.io/apimachinery/**", "k8s.io/utils/ptr", "pkg/apis/cdi"},
			reach:    []string{clientgo, apiserver},
		},
		{
			packages: "pkg/apis/cdi/install",
			direct:   []string{"k8s.io/apimachinery/**", "pkg/apis/cdi", "pkg/apis/cdi/v1beta1"},
		},
		{
			packages: "pkg/apis/cdi/validation",
			direct:   []string{"std", "k8s.io/api/**", "k8s.io/apimachinery/**", "pkg/apis/cdi", "pkg/apis/cdi/schedule", "pkg/apis/cdi/reference"},
			// It says the same of an object whoever asks, and when.
			never: []string{"context", "os", "net", "net/http"},
			reach: []string{clientgo, apiserver},
		},
		{packages: "pkg/apis/cdi/requester", direct: []string{"std"}},
		{packages: "pkg/apis/cdi/schedule", direct: []string{"std", "github.com/robfig/cron/v3"}},
		{packages: "pkg/apis/cdi/reference", direct: []string{"std", "github.com/google/go-containerregistry/pkg/name"}, reach: []string{kubernetes}},
		{packages: "pkg/apis/importer/v1", direct: []string{"std"}},
		{
			packages: "pkg/generated/**",
			direct: []string{
				"std", "k8s.io/api/**", "k8s.io/apimachinery/**", clientgo, "k8s.io/kube-openapi/**",
				"sigs.k8s.io/structured-merge-diff/**", "pkg/apis/cdi/v1beta1", "pkg/generated/**",
			},
		},

		// The disk engine would be of use without Kubernetes.
		{packages: "pkg/disk/**", never: []string{"ours"}, reach: []string{kubernetes}, except: []string{"pkg/disk/**"}},

		// A source is an interface; a kind of it knows no other kind, and nobody who uses it.
		{packages: "pkg/sources", direct: []string{"std", "pkg/apis/importer/v1"}},
		{
			packages: "pkg/sources/*",
			never:    []string{"pkg/sources/*"},
			reach:    []string{"pkg/controllers/**", "pkg/registry/**", "pkg/disk/**", "pkg/generated/clientset/**", apiserver},
		},
		{packages: "pkg/sources/oci", reach: []string{kubernetes}},
		{packages: "pkg/sources/http", direct: []string{"std", "github.com/ulikunitz/xz", "golang.org/x/net/http/httpproxy", "pkg/sources"}, reach: []string{kubernetes}},
		{
			packages: "pkg/sources/nodepull",
			direct: []string{
				"std", "k8s.io/api/**", "k8s.io/apimachinery/**", "k8s.io/client-go/kubernetes/**", "k8s.io/klog/v2", "k8s.io/utils/clock",
				"pkg/apis/cdi/v1beta1", "pkg/apis/cdi/reference", "pkg/apis/importer/v1", "pkg/sources",
			},
		},
		{
			packages: "pkg/sources/imagestream",
			direct: []string{
				"std", "k8s.io/api/**", "k8s.io/apimachinery/**", "k8s.io/client-go/discovery", "k8s.io/client-go/tools/cache", "k8s.io/klog/v2",
				"k8s.io/utils/clock", "github.com/openshift/api/image/v1", "github.com/openshift/client-go/image/clientset/versioned",
				"github.com/openshift/client-go/image/listers/image/v1", "pkg/apis/cdi/reference", "pkg/sources",
			},
		},
		// It asks any kind, and knows none.
		{packages: "pkg/sources/polite", reach: []string{"pkg/apis/**"}},
		{
			packages: "pkg/sources/pvc",
			direct: []string{
				"std", "k8s.io/api/**", "k8s.io/apimachinery/**", "k8s.io/client-go/listers/**", "k8s.io/client-go/tools/cache",
				"pkg/apis/cdi/v1beta1", "pkg/generated/listers/**", "pkg/sources",
			},
		},

		// The registry answers requests and calls nobody.
		{packages: "pkg/registry/**", reach: []string{"pkg/controllers/**", "pkg/sources/**", "pkg/disk/**", "cmd/**"}},
		{
			packages: "pkg/registry/cdi/**",
			never:    []string{clientgo},
			reach:    []string{"pkg/generated/clientset/**", "pkg/generated/informers/**"},
		},

		// A controller does one thing and knows no other.
		{
			packages: "pkg/controllers/**",
			never:    []string{"pkg/apis/cdi", "pkg/apis/cdi/validation", "pkg/apis/cdi/install"},
			reach:    []string{"pkg/controllers/**", "pkg/sources/*", "pkg/registry/**", "pkg/disk/**", "cmd/**", apiserver},
			except:   shared(),
		},
		{packages: "pkg/controllers/runner", never: []string{"ours"}},

		// The worker is handed a Request, not a cluster.
		{
			packages: "cmd/golden-image-importer/**",
			reach:    []string{kubernetes, "github.com/openshift/**", "pkg/controllers/**", "pkg/registry/**", "pkg/generated/**", "pkg/apis/cdi", "pkg/apis/cdi/v1beta1"},
		},
		{packages: "cmd/golden-image-importer", direct: []string{"std", "cmd/golden-image-importer/app"}},

		// The server moves no bytes, and its main starts it and no more.
		{packages: "cmd/golden-image-apiserver/**", reach: []string{"pkg/disk/**", "cmd/golden-image-importer/**"}},
		{packages: "cmd/golden-image-apiserver/internal/*", never: []string{"ours"}},

		// What is for tests is not in what is shipped.
		{
			packages: "cmd/**",
			reach: []string{
				"testing", "test/**", "hack/**", "pkg/apis/cdi/fuzzer", "pkg/sources/sourcestest", "kubevirt.io/**", "k8s.io/kubernetes/**", "pkg/**/fake",
			},
		},
	}
}

// owners says who alone may import a library, tests apart.
func owners() map[string][]string {
	return map[string][]string{
		"github.com/robfig/cron/**":                            {"pkg/apis/cdi/schedule"},
		"github.com/google/go-containerregistry/pkg/name":      {"pkg/apis/cdi/reference", "pkg/sources/oci", "hack/**", "test/**"},
		"github.com/google/go-containerregistry/**":            {"pkg/apis/cdi/reference", "pkg/sources/oci", "hack/**", "test/**"},
		"go.etcd.io/etcd/server/**":                            {"cmd/golden-image-apiserver/**", "hack/**", "test/**"},
		"kubevirt.io/**":                                       {"test/cdiclient/**", "test/contract", "test/integration"},
		"goldenimage.dev/test/cdiclient/**":                    {"test/**"},
		"sigs.k8s.io/randfill/**":                              {"pkg/apis/cdi/fuzzer", "test/**"},
		"goldenimage.dev/pkg/disk/**":                          {"cmd/golden-image-importer/**", "hack/**", "test/**"},
		"goldenimage.dev/pkg/generated/clientset/versioned/**": {"cmd/golden-image-apiserver/**", "pkg/controllers/*", "pkg/generated/**", "pkg/registry/admission/**", "hack/**", "test/**"},
		"goldenimage.dev/pkg/apis/importer/v1":                 {"cmd/golden-image-importer/**", "pkg/controllers/volume", "pkg/sources", "pkg/sources/nodepull", "hack/**", "test/**"},
		"goldenimage.dev/pkg/registry/**":                      {"cmd/golden-image-apiserver/**", "pkg/registry/**", "test/**"},
		"goldenimage.dev/pkg/controllers/**":                   {"cmd/golden-image-apiserver/**", "pkg/controllers/**", "test/**"},
		"goldenimage.dev/cmd/golden-image-apiserver/app":       {"cmd/golden-image-apiserver", "hack/**", "test/**"},
		"goldenimage.dev/cmd/golden-image-importer/app":        {"cmd/golden-image-importer", "hack/**", "test/**"},
		"k8s.io/apiserver/**":                                  {"cmd/golden-image-apiserver/**", "pkg/registry/**", "hack/**", "test/**"},
		"k8s.io/client-go/tools/leaderelection/**":             {"cmd/golden-image-apiserver/**", "test/**"},
		"goldenimage.dev/pkg/generated/informers/**":           {"cmd/golden-image-apiserver/**", "pkg/controllers/*", "pkg/generated/**", "pkg/registry/admission/**", "test/**"},
	}
}

// expected are packages that have to be there, so that a rule is not kept by being about
// nothing.
func expected() []string {
	return []string{
		"cmd/golden-image-apiserver", "cmd/golden-image-apiserver/app", "cmd/golden-image-importer", "cmd/golden-image-importer/app",
		"pkg/apis/cdi", "pkg/apis/cdi/fuzzer", "pkg/apis/cdi/install", "pkg/apis/cdi/reference", "pkg/apis/cdi/requester", "pkg/apis/cdi/schedule",
		"pkg/apis/cdi/v1beta1", "pkg/apis/cdi/validation", "pkg/apis/importer/v1",
		"pkg/controllers/datasource", "pkg/controllers/imports", "pkg/controllers/installation", "pkg/controllers/poll", "pkg/controllers/publish",
		"pkg/controllers/push", "pkg/controllers/retention", "pkg/controllers/storageprofile", "pkg/controllers/volume",
		"pkg/disk", "pkg/disk/qcow2", "pkg/registry/cdi/rest", "pkg/registry/cdi/tables", "pkg/sources", "pkg/sources/http", "pkg/sources/imagestream", "pkg/sources/nodepull", "pkg/sources/oci", "pkg/sources/polite", "pkg/sources/pvc",
		"pkg/sources/sourcestest",
	}
}

func TestPackagesImportWhatTheyMay(t *testing.T) {
	g := load(t)
	for _, r := range rules() {
		t.Run(r.packages, func(t *testing.T) {
			found := g.ours(r.packages)
			if len(found) == 0 {
				t.Fatalf("no package matches %s: it was moved or renamed, or is not written yet; the table in rules_test.go has to follow", r.packages)
			}
			for _, pkg := range found {
				for _, fault := range g.check(pkg, r) {
					t.Error(fault)
				}
			}
		})
	}
}

func TestLibrariesAreImportedByTheirOwners(t *testing.T) {
	g := load(t)
	for library, importers := range owners() {
		t.Run(library, func(t *testing.T) {
			for _, pkg := range g.ours("**") {
				if slices.ContainsFunc(importers, func(p string) bool { return match(p, pkg) }) || match(library, module+"/"+pkg) {
					continue
				}
				for _, imported := range g[module+"/"+pkg].imports {
					if match(library, imported) {
						t.Errorf("%s imports %s, which is for %v alone", pkg, imported, importers)
					}
				}
			}
		})
	}
}

func TestExpectedPackagesExist(t *testing.T) {
	g := load(t)
	for _, pkg := range expected() {
		if _, ok := g[module+"/"+pkg]; !ok {
			t.Errorf("there is no package %s: it was moved or renamed, or is not written yet; the table in rules_test.go has to follow", pkg)
		}
	}
}
