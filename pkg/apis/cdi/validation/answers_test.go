// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package validation

import (
	"bufio"
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"k8s.io/apimachinery/pkg/util/yaml"

	"goldenimage.dev/pkg/apis/cdi"
	"goldenimage.dev/pkg/apis/cdi/install"
)

var update = flag.Bool("update", false, "write testdata/*.txt anew")

// rule is what a kind is held to: on create, and on update.
type rule struct {
	create   func(runtime.Object) field.ErrorList
	update   func(updated, old runtime.Object) field.ErrorList
	warnings func(runtime.Object) []string
}

func ruleOf[P runtime.Object](create func(P) field.ErrorList, update func(updated, old P) field.ErrorList, warnings func(P) []string) rule {
	return rule{
		create:   func(obj runtime.Object) field.ErrorList { return create(obj.(P)) },
		update:   func(updated, old runtime.Object) field.ErrorList { return update(updated.(P), old.(P)) },
		warnings: func(obj runtime.Object) []string { return warnings(obj.(P)) },
	}
}

// kinds are the rules by the name of the kind.
func kinds() map[string]rule {
	return map[string]rule{
		"DataImportCron":     ruleOf(ValidateDataImportCron, ValidateDataImportCronUpdate, WarningsForDataImportCron),
		"DataSource":         ruleOf(ValidateDataSource, ValidateDataSourceUpdate, WarningsForDataSource),
		"DataVolume":         ruleOf(ValidateDataVolume, ValidateDataVolumeUpdate, WarningsForDataVolume),
		"StorageProfile":     ruleOf(ValidateStorageProfile, ValidateStorageProfileUpdate, WarningsForStorageProfile),
		"CDIConfig":          ruleOf(ValidateCDIConfig, ValidateCDIConfigUpdate, WarningsForCDIConfig),
		"CDI":                ruleOf(ValidateCDI, ValidateCDIUpdate, WarningsForCDI),
		"ObjectTransfer":     ruleOf(ValidateObjectTransfer, ValidateObjectTransferUpdate, WarningsForObjectTransfer),
		"VolumeImportSource": ruleOf(ValidateVolumeImportSource, ValidateVolumeImportSourceUpdate, WarningsForVolumeImportSource),
		"VolumeCloneSource":  ruleOf(ValidateVolumeCloneSource, ValidateVolumeCloneSourceUpdate, WarningsForVolumeCloneSource),
		"VolumeUploadSource": ruleOf(ValidateVolumeUploadSource, ValidateVolumeUploadSourceUpdate, WarningsForVolumeUploadSource),
	}
}

// kindOf returns the name of an internal type, which does not say it itself.
func kindOf(obj runtime.Object) string { return strings.TrimPrefix(fmt.Sprintf("%T", obj), "*cdi.") }

// decoder reads documents as the server does with fieldValidation=Strict: an unknown field is
// an error, and defaults are filled in.
func decoder() runtime.Decoder {
	scheme := runtime.NewScheme()
	install.Install(scheme)
	return serializer.NewCodecFactory(scheme, serializer.EnableStrict).UniversalDecoder(cdi.SchemeGroupVersion)
}

// TestAnswersToWrongManifests renders what the server answers to the manifests in testdata, so
// that a person can read whether they would know what to do.
func TestAnswersToWrongManifests(t *testing.T) {
	manifests, err := filepath.Glob("testdata/*.yaml")
	if err != nil || len(manifests) == 0 {
		t.Fatalf("manifests %v, error %v", manifests, err)
	}
	for _, manifest := range manifests {
		theme := strings.TrimSuffix(filepath.Base(manifest), ".yaml")
		t.Run(theme, func(t *testing.T) {
			documents, comments := read(t, manifest)
			got := answers(t, documents, comments, theme == "updates")
			golden := strings.TrimSuffix(manifest, ".yaml") + ".txt"
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Errorf("answers (-want +got; refresh with -update):\n%s", diff)
			}
			if strings.Contains(got, "hunter2") {
				t.Error("an answer holds a password")
			}
		})
	}
}

// read returns the objects of a file, and what is said above each of them.
func read(t *testing.T, manifest string) (documents []runtime.Object, comments []string) {
	t.Helper()
	content, err := os.ReadFile(manifest)
	if err != nil {
		t.Fatal(err)
	}
	reader, codec := yaml.NewYAMLReader(bufio.NewReader(bytes.NewReader(content))), decoder()
	for {
		text, err := reader.Read()
		if errors.Is(err, io.EOF) {
			return documents, comments
		}
		if err != nil {
			t.Fatal(err)
		}
		obj, _, err := codec.Decode(text, nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		comment := ""
		for line := range strings.Lines(string(text)) {
			if said, ok := strings.CutPrefix(line, "# "); ok && !strings.HasPrefix(said, "Copyright") && !strings.HasPrefix(said, "SPDX") {
				comment = " # " + strings.TrimSpace(said)
			}
		}
		documents, comments = append(documents, obj), append(comments, comment)
	}
}

// answers renders the errors and warnings for objects; of updates each second object is to
// replace the one before it.
func answers(t *testing.T, documents []runtime.Object, comments []string, updates bool) string {
	t.Helper()
	var b strings.Builder
	for i, obj := range documents {
		rules, known := kinds()[kindOf(obj)]
		if !known {
			t.Fatalf("no rules for %s", kindOf(obj))
		}
		errs := rules.create(obj)
		if updates && i%2 == 1 {
			errs = rules.update(obj, documents[i-1])
		}
		object, err := meta.Accessor(obj)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&b, "%d. %s %s%s\n", i+1, kindOf(obj), object.GetName(), comments[i])
		for _, err := range errs {
			fmt.Fprintf(&b, "   error    %s\n            %s\n", err.Field, err.ErrorBody())
		}
		// What is refused is not warned of.
		for _, text := range rules.warnings(obj) {
			if len(errs) == 0 {
				fmt.Fprintf(&b, "   warning  %s\n", text)
			}
		}
		b.WriteString("\n")
	}
	return b.String()
}
