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
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apiserver/pkg/registry/rest"
	clocktesting "k8s.io/utils/clock/testing"
	"k8s.io/utils/ptr"

	"goldenimage.dev/pkg/apis/cdi"
)

var update = flag.Bool("update", false, "write the golden files anew")

var now = time.Date(2026, time.November, 23, 12, 0, 0, 0, time.UTC)

func fixed() *clocktesting.FakePassiveClock { return clocktesting.NewFakePassiveClock(now) }

func ago(d time.Duration) metav1.Time { return metav1.NewTime(now.Add(-d)) }

func agoPtr(d time.Duration) *metav1.Time { return ptr.To(ago(d)) }

func object(name string, age time.Duration) metav1.ObjectMeta {
	return metav1.ObjectMeta{Namespace: "golden-images", Name: name, CreationTimestamp: ago(age), ResourceVersion: "7"}
}

const (
	day = 24 * time.Hour

	firstDigest  = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
	secondDigest = "sha256:fedcba9876543210fedcba9876543210fedcba9876543210fedcba9876543210"
)

func cron(name string, age time.Duration, status cdi.DataImportCronStatus) cdi.DataImportCron {
	return cdi.DataImportCron{
		ObjectMeta: object(name, age),
		Spec: cdi.DataImportCronSpec{
			Schedule:          "30 1 * * 1",
			ManagedDataSource: "fedora",
			Template: cdi.DataVolume{Spec: cdi.DataVolumeSpec{Source: &cdi.DataVolumeSource{
				Registry: &cdi.DataVolumeSourceRegistry{URL: ptr.To("docker://quay.io/containerdisks/fedora:latest")},
			}}},
		},
		Status: status,
	}
}

func cronCondition(kind cdi.DataImportCronConditionType, status corev1.ConditionStatus, reason, message string) cdi.DataImportCronCondition {
	return cdi.DataImportCronCondition{Type: kind, ConditionState: cdi.ConditionState{Status: status, Reason: reason, Message: message}}
}

func crons() *cdi.DataImportCronList {
	reachable := cronCondition(cdi.DataImportCronSourceReachable, corev1.ConditionTrue, "Resolved", "The registry was asked")
	done := cronCondition(cdi.DataImportCronProgressing, corev1.ConditionFalse, "NoImport", "No current import")
	upToDate := cronCondition(cdi.DataImportCronUpToDate, corev1.ConditionTrue, "UpToDate", "Latest import is up to date")
	published := cdi.DataImportCronStatus{
		CurrentImports:      []cdi.ImportStatus{{DataVolumeName: "fedora-0123456789ab", Digest: firstDigest}},
		LastImportedPVC:     &cdi.DataVolumeSourcePVC{Namespace: "golden-images", Name: "fedora-0123456789ab"},
		LastImportTimestamp: agoPtr(9 * day),
		SourceFormat:        ptr.To(cdi.DataImportCronSourceFormatPvc),
		NextPoll:            ptr.To(metav1.NewTime(now.Add(3*day + 2*time.Hour))),
		LastPoll:            &cdi.PollStatus{Time: ago(4 * day), Outcome: cdi.PollUnchanged, Digest: firstDigest},
		Conditions:          []cdi.DataImportCronCondition{reachable, done, upToDate},
	}

	importing := *published.DeepCopy()
	importing.CurrentImports = []cdi.ImportStatus{{DataVolumeName: "fedora-fedcba987654", Digest: secondDigest}}
	importing.LastPoll = &cdi.PollStatus{Time: ago(20 * time.Second), Outcome: cdi.PollUpdated, Digest: secondDigest}
	importing.Conditions = []cdi.DataImportCronCondition{
		reachable,
		cronCondition(cdi.DataImportCronProgressing, corev1.ConditionTrue, "ImportProgressing", "Import is progressing"),
		cronCondition(cdi.DataImportCronUpToDate, corev1.ConditionFalse, "Outdated", "Source digest updated since last import"),
	}

	unreachable := *published.DeepCopy()
	unreachable.NextPoll = agoPtr(time.Second)
	unreachable.LastPoll = &cdi.PollStatus{Time: ago(5 * time.Minute), Outcome: cdi.PollFailed, Failures: 3}
	unreachable.Conditions = []cdi.DataImportCronCondition{
		cronCondition(cdi.DataImportCronSourceReachable, corev1.ConditionFalse, "Unauthorized", "The registry wants credentials: name a Secret by secretRef"),
		done, upToDate,
	}

	trigger := cron("trigger-only", time.Hour, cdi.DataImportCronStatus{
		Conditions: []cdi.DataImportCronCondition{cronCondition(cdi.DataImportCronUpToDate, corev1.ConditionFalse, "NoDigest", "No source digest")},
	})
	trigger.Spec.Schedule = ""

	foreign := cron("written-by-others", 400*day, cdi.DataImportCronStatus{LastExecutionTimestamp: agoPtr(2 * time.Hour)})
	foreign.Spec.Template.Spec.Source.Registry = &cdi.DataVolumeSourceRegistry{ImageStream: ptr.To("fedora:40")}

	polled := cron("polled-alone", time.Minute, cdi.DataImportCronStatus{
		LastPoll: &cdi.PollStatus{Time: ago(0), Outcome: cdi.PollUpdated, Digest: "short"},
	})
	polled.Spec.Template.Spec.Source = nil

	return &cdi.DataImportCronList{Items: []cdi.DataImportCron{
		cron("current", 30*day, published), cron("importing", 30*day, importing), cron("unreachable", 30*day, unreachable),
		trigger, foreign, polled, {ObjectMeta: metav1.ObjectMeta{Name: "empty"}},
	}}
}

func sources() *cdi.DataSourceList {
	condition := func(status corev1.ConditionStatus, reason, message string) cdi.DataSourceStatus {
		return cdi.DataSourceStatus{Conditions: []cdi.DataSourceCondition{{
			Type: cdi.DataSourceReady, ConditionState: cdi.ConditionState{Status: status, Reason: reason, Message: message},
		}}}
	}
	source := func(name string, source cdi.DataSourceSource, status cdi.DataSourceStatus) cdi.DataSource {
		return cdi.DataSource{ObjectMeta: object(name, 2*day), Spec: cdi.DataSourceSpec{Source: source}, Status: status}
	}
	return &cdi.DataSourceList{Items: []cdi.DataSource{
		source("fedora", cdi.DataSourceSource{PVC: &cdi.DataVolumeSourcePVC{Namespace: "golden-images", Name: "fedora-0123456789ab"}},
			condition(corev1.ConditionTrue, "Ready", "DataSource is ready to be consumed")),
		source("snapshot", cdi.DataSourceSource{Snapshot: &cdi.DataVolumeSourceSnapshot{Namespace: "elsewhere", Name: "fedora"}},
			condition(corev1.ConditionFalse, "NotFound", "Snapshot not found")),
		source("pointer", cdi.DataSourceSource{DataSource: &cdi.DataSourceRefSourceDataSource{Namespace: "golden-images", Name: "fedora"}}, cdi.DataSourceStatus{}),
		source("empty", cdi.DataSourceSource{}, condition(corev1.ConditionFalse, "NoSource", "No source set")),
	}}
}

func volumes() *cdi.DataVolumeList {
	condition := func(kind cdi.DataVolumeConditionType, status corev1.ConditionStatus, reason, message string) cdi.DataVolumeCondition {
		return cdi.DataVolumeCondition{Type: kind, ConditionState: cdi.ConditionState{Status: status, Reason: reason, Message: message}}
	}
	volume := func(name string, spec cdi.DataVolumeSpec, status cdi.DataVolumeStatus) cdi.DataVolume {
		return cdi.DataVolume{ObjectMeta: object(name, 90*time.Second), Spec: spec, Status: status}
	}
	fedora := cdi.DataVolumeSpec{Source: &cdi.DataVolumeSource{Registry: &cdi.DataVolumeSourceRegistry{URL: ptr.To("docker://quay.io/containerdisks/fedora@" + firstDigest)}}}
	ref := cdi.DataVolumeSpec{SourceRef: &cdi.DataVolumeSourceRef{Kind: "DataSource", Name: "fedora"}}
	refElsewhere := *ref.DeepCopy()
	refElsewhere.SourceRef.Namespace = ptr.To("elsewhere")
	return &cdi.DataVolumeList{Items: []cdi.DataVolume{
		volume("importing", fedora, cdi.DataVolumeStatus{
			Phase: cdi.ImportInProgress, Progress: "12.34%", ClaimName: "importing", RestartCount: 2,
			Conditions: []cdi.DataVolumeCondition{
				condition(cdi.DataVolumeBound, corev1.ConditionTrue, "Bound", "PVC importing Bound"),
				condition(cdi.DataVolumeRunning, corev1.ConditionTrue, "Pod is running", ""),
				condition(cdi.DataVolumeReady, corev1.ConditionFalse, "", ""),
			},
		}),
		volume("fedora-ref", ref, cdi.DataVolumeStatus{
			Phase: cdi.Succeeded, Progress: "100.0%", ClaimName: "fedora-ref",
			Conditions: []cdi.DataVolumeCondition{condition(cdi.DataVolumeReady, corev1.ConditionTrue, "", "")},
		}),
		volume("waiting", refElsewhere, cdi.DataVolumeStatus{
			Phase: cdi.Pending, Progress: "N/A", ClaimName: "waiting",
			Conditions: []cdi.DataVolumeCondition{condition(cdi.DataVolumeBound, corev1.ConditionFalse, "Pending", "StorageClass nope does not exist")},
		}),
		volume("failed", cdi.DataVolumeSpec{Source: &cdi.DataVolumeSource{PVC: &cdi.DataVolumeSourcePVC{Namespace: "elsewhere", Name: "disk"}}}, cdi.DataVolumeStatus{
			Phase:      cdi.Failed,
			Conditions: []cdi.DataVolumeCondition{condition(cdi.DataVolumeReady, corev1.ConditionFalse, "VolumeTooSmall", "The disk needs 10Gi: ask for more")},
		}),
		volume("stream", cdi.DataVolumeSpec{Source: &cdi.DataVolumeSource{Registry: &cdi.DataVolumeSourceRegistry{ImageStream: ptr.To("fedora:40")}}}, cdi.DataVolumeStatus{}),
		volume("snapshot", cdi.DataVolumeSpec{Source: &cdi.DataVolumeSource{Snapshot: &cdi.DataVolumeSourceSnapshot{Namespace: "a", Name: "b"}}}, cdi.DataVolumeStatus{}),
		volume("blank", cdi.DataVolumeSpec{Source: &cdi.DataVolumeSource{Blank: &cdi.DataVolumeBlankImage{}}}, cdi.DataVolumeStatus{}),
		volume("registry", cdi.DataVolumeSpec{Source: &cdi.DataVolumeSource{Registry: &cdi.DataVolumeSourceRegistry{}}}, cdi.DataVolumeStatus{}),
		volume("nothing", cdi.DataVolumeSpec{}, cdi.DataVolumeStatus{}),
	}}
}

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
	list.ListMeta = metav1.ListMeta{ResourceVersion: "42", Continue: "more", RemainingItemCount: ptr.To[int64](5)}
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
	for name, convertor := range map[string]rest.TableConvertor{
		"dataimportcrons": DataImportCron(fixed()), "datasources": DataSource(fixed()), "datavolumes": DataVolume(fixed()),
	} {
		t.Run(name, func(t *testing.T) {
			table, err := convertor.ConvertToTable(t.Context(), map[string]runtime.Object{
				"dataimportcrons": &cdi.DataImportCronList{}, "datasources": &cdi.DataSourceList{}, "datavolumes": &cdi.DataVolumeList{},
			}[name], nil)
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
		"in days":            {ptr.To(metav1.NewTime(now.Add(75 * time.Hour))), "in 3d3h"},
		"in seconds":         {ptr.To(metav1.NewTime(now.Add(5 * time.Second))), "in 5s"},
		"this very second":   {ptr.To(metav1.NewTime(now.Add(time.Millisecond))), "now"},
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
