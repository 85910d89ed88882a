// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package tables

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"text/tabwriter"
	"time"

	"github.com/google/go-cmp/cmp"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apiserver/pkg/registry/rest"

	"goldenimage.dev/pkg/apis/cdi"
)

var update = flag.Bool("update", false, "write the golden files anew")

// render prints a table as kubectl does.
func render(t *testing.T, table *metav1.Table, priority int32) string {
	t.Helper()
	var out bytes.Buffer
	w := tabwriter.NewWriter(&out, 0, 8, 3, ' ', 0)
	line := func(cell func(int) any) {
		var cells []string
		for i, c := range table.ColumnDefinitions {
			if c.Priority <= priority {
				cells = append(cells, fmt.Sprint(cell(i)))
			}
		}
		if _, err := fmt.Fprintln(w, strings.Join(cells, "\t")); err != nil {
			t.Fatal(err)
		}
	}
	line(func(i int) any { return strings.ToUpper(table.ColumnDefinitions[i].Name) })
	for _, row := range table.Rows {
		line(func(i int) any { return row.Cells[i] })
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestTablesMatchGoldenFiles(t *testing.T) {
	for name, test := range map[string]struct {
		convertor rest.TableConvertor
		list      runtime.Object
	}{
		"dataimportcrons": {DataImportCron(fixed()), crons()},
		"datasources":     {DataSource(fixed()), sources()},
		"datavolumes":     {DataVolume(fixed()), volumes()},

		"storageprofiles":     {StorageProfile(fixed()), profiles()},
		"cdiconfigs":          {CDIConfig(fixed()), configs()},
		"cdis":                {CDI(fixed()), installations()},
		"volumeimportsources": {VolumeImportSource(fixed()), importSources()},
		"volumeclonesources":  {VolumeCloneSource(fixed()), cloneSources()},
		"volumeuploadsources": {VolumeUploadSource(fixed()), uploadSources()},
		"objecttransfers":     {ObjectTransfer(fixed()), transfers()},
	} {
		t.Run(name, func(t *testing.T) {
			table, err := test.convertor.ConvertToTable(t.Context(), test.list, &metav1.TableOptions{})
			if err != nil {
				t.Fatal(err)
			}
			got := "# kubectl get " + name + "\n" + render(t, table, always) + "\n# kubectl get " + name + " -o wide\n" + render(t, table, wide)
			file := filepath.Join("testdata", name+".txt")
			if *update {
				if err := os.WriteFile(file, []byte(got), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Errorf("table (-want +got); go test -update writes it anew:\n%s", diff)
			}
		})
	}
}

func TestTableOfAListCarriesTheListsMetadata(t *testing.T) {
	list := sources()
	list.ListMeta = metav1.ListMeta{ResourceVersion: "42", Continue: "more", RemainingItemCount: new(int64(5))}
	table, err := DataSource(fixed()).ConvertToTable(t.Context(), list, nil)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(list.ListMeta, table.ListMeta); diff != "" {
		t.Errorf("metadata (-want +got):\n%s", diff)
	}
	for i, row := range table.Rows {
		if row.Object.Object != runtime.Object(&list.Items[i]) {
			t.Errorf("row %d holds %v", i, row.Object.Object)
		}
	}
}

func TestTableOfOneObject(t *testing.T) {
	source := &sources().Items[0]
	table, err := DataSource(fixed()).ConvertToTable(t.Context(), source, &metav1.TableOptions{})
	if err != nil {
		t.Fatal(err)
	}
	want := []metav1.TableRow{{
		Cells:  []any{"fedora", "True", "pvc/fedora-0123456789ab", "2d", "Ready", "golden-images", "DataSource is ready to be consumed"},
		Object: runtime.RawExtension{Object: source},
	}}
	if diff := cmp.Diff(want, table.Rows); diff != "" {
		t.Errorf("rows (-want +got):\n%s", diff)
	}
	if table.ResourceVersion != "7" {
		t.Errorf("resource version %q", table.ResourceVersion)
	}
}

func TestHeadersAreLeftOutOnRequest(t *testing.T) {
	for name, test := range map[string]struct {
		options runtime.Object
		want    int
	}{
		"no options":                 {nil, 7},
		"a nil pointer":              {(*metav1.TableOptions)(nil), 7},
		"options":                    {&metav1.TableOptions{}, 7},
		"options without headers":    {&metav1.TableOptions{NoHeaders: true}, 0},
		"something else than option": {&metav1.Status{}, 7},
	} {
		t.Run(name, func(t *testing.T) {
			table, err := DataSource(fixed()).ConvertToTable(t.Context(), sources(), test.options)
			if err != nil {
				t.Fatal(err)
			}
			if got := len(table.ColumnDefinitions); got != test.want {
				t.Errorf("%d columns, want %d", got, test.want)
			}
		})
	}
}

func TestTableOfNothingHasHeaders(t *testing.T) {
	table, err := DataVolume(fixed()).ConvertToTable(t.Context(), &cdi.DataVolumeList{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(table.Rows) != 0 || table.Rows == nil || len(table.ColumnDefinitions) == 0 {
		t.Errorf("rows %v, columns %v", table.Rows, table.ColumnDefinitions)
	}
}

func TestOtherKindsAreLeftToTheDefault(t *testing.T) {
	convertor := DataImportCron(fixed())
	for name, object := range map[string]runtime.Object{
		"a status":       &metav1.Status{Status: metav1.StatusSuccess},
		"no metadata":    &runtime.Unknown{},
		"table options":  &metav1.TableOptions{},
		"a list options": &metav1.ListOptions{},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := convertor.ConvertToTable(t.Context(), object, nil)
			var status apierrors.APIStatus
			if !errors.As(err, &status) || status.Status().Code != 406 {
				t.Errorf("error %v, want 406", err)
			}
			if err == nil || !strings.Contains(err.Error(), "dataimportcrons.cdi.kubevirt.io") {
				t.Errorf("error %v does not name the resource", err)
			}
		})
	}
	t.Run("an object with metadata gets name and time", func(t *testing.T) {
		table, err := convertor.ConvertToTable(t.Context(), &cdi.DataImportCronTrigger{ObjectMeta: object("fedora", 0)}, nil)
		if err != nil {
			t.Fatal(err)
		}
		if got := table.Rows[0].Cells[0]; got != "fedora" {
			t.Errorf("first cell %v", got)
		}
	})
}

func TestDefinitionsDescribeEveryColumn(t *testing.T) {
	for name, test := range map[string]struct {
		convertor rest.TableConvertor
		list      runtime.Object
	}{
		"dataimportcrons":     {DataImportCron(fixed()), &cdi.DataImportCronList{}},
		"datasources":         {DataSource(fixed()), &cdi.DataSourceList{}},
		"datavolumes":         {DataVolume(fixed()), &cdi.DataVolumeList{}},
		"storageprofiles":     {StorageProfile(fixed()), &cdi.StorageProfileList{}},
		"cdiconfigs":          {CDIConfig(fixed()), &cdi.CDIConfigList{}},
		"cdis":                {CDI(fixed()), &cdi.CDIList{}},
		"volumeimportsources": {VolumeImportSource(fixed()), &cdi.VolumeImportSourceList{}},
		"volumeclonesources":  {VolumeCloneSource(fixed()), &cdi.VolumeCloneSourceList{}},
		"volumeuploadsources": {VolumeUploadSource(fixed()), &cdi.VolumeUploadSourceList{}},
		"objecttransfers":     {ObjectTransfer(fixed()), &cdi.ObjectTransferList{}},
	} {
		t.Run(name, func(t *testing.T) {
			table, err := test.convertor.ConvertToTable(t.Context(), test.list, nil)
			if err != nil {
				t.Fatal(err)
			}
			for _, c := range table.ColumnDefinitions {
				if c.Name == "" || c.Type == "" || c.Description == "" {
					t.Errorf("column %+v", c)
				}
			}
			if table.ColumnDefinitions[0].Format != "name" {
				t.Error("the first column is not the name")
			}
		})
	}
}

func TestNextPollCountsDown(t *testing.T) {
	at := moment(now)
	for name, test := range map[string]struct {
		next *metav1.Time
		want string
	}{
		"none is planned":    {nil, ""},
		"a zero time":        {&metav1.Time{}, ""},
		"in days":            {new(metav1.NewTime(now.Add(75 * time.Hour))), "in 3d3h"},
		"in seconds":         {new(metav1.NewTime(now.Add(5 * time.Second))), "in 5s"},
		"this very second":   {new(metav1.NewTime(now.Add(time.Millisecond))), "now"},
		"it is due already":  {agoPtr(time.Hour), "now"},
		"it is due just now": {agoPtr(0), "now"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := at.until(test.next); got != test.want {
				t.Errorf("%q, want %q", got, test.want)
			}
		})
	}
}
