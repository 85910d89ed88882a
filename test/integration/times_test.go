// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// TestTimesThatCannotBeReadBackAreRefused sends a time that is of the year 10000 in UTC, which
// JSON cannot say. Were it stored, no list of the kind could be read any more.
func TestTimesThatCannotBeReadBackAreRefused(t *testing.T) {
	s := start(t, dataDir(t))
	crons := s.client.CdiV1beta1().DataImportCrons(namespace)
	createDocumented(t, s, "timely")
	const late = `"9999-12-31T23:59:59-01:00"`
	patch := func(document string, subresources ...string) func(*testing.T) error {
		return func(t *testing.T) error {
			_, err := crons.Patch(t.Context(), "timely", types.MergePatchType, []byte(document), metav1.PatchOptions{}, subresources...)
			return err
		}
	}
	for name, test := range map[string]struct {
		write func(*testing.T) error
		path  string
	}{
		"in a template": {func(t *testing.T) error {
			template := `"template": {"metadata": {"creationTimestamp": ` + late + `},`
			return post(t.Context(), s, "dataimportcrons", strings.Replace(strings.ReplaceAll(documented, "NAME", "late"), `"template": {`, template, 1))
		}, "spec.template.metadata.creationTimestamp"},
		"of a manager": {
			patch(`{"metadata":{"managedFields":[{"manager":"m","operation":"Update","apiVersion":"cdi.kubevirt.io/v1beta1","time":` + late +
				`,"fieldsType":"FieldsV1","fieldsV1":{"f:metadata":{"f:labels":{}}}}]}}`),
			"metadata.managedFields[0].time",
		},
		"in the status": {patch(`{"status":{"nextPoll":`+late+`}}`, statusField), "status.nextPoll"},
	} {
		t.Run(name, func(t *testing.T) {
			if err := test.write(t); !apierrors.IsInvalid(err) || !strings.Contains(err.Error(), test.path) {
				t.Errorf("got %v, want 422 about %s", err, test.path)
			}
			if _, err := crons.List(t.Context(), metav1.ListOptions{}); err != nil {
				t.Error(err)
			}
		})
	}
}
