// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/rest"

	"goldenimage.dev/pkg/apis/cdi/v1beta1"
)

const (
	// crowd is a namespace with many objects, sources of them.
	crowd   = "crowd"
	sources = 300

	protobuf = "application/vnd.kubernetes.protobuf"
)

func TestListsAndWatchesOfMany(t *testing.T) {
	s := start(t, dataDir(t))
	client := s.client.CdiV1beta1().DataSources(crowd)
	for i := range sources {
		source := &v1beta1.DataSource{ObjectMeta: metav1.ObjectMeta{
			Name: fmt.Sprintf("s%03d", i), Labels: map[string]string{"half": fmt.Sprint(i % 2)},
			// A large answer is compressed.
			Annotations: map[string]string{"example.com/text": strings.Repeat("golden ", 200)},
		}}
		if _, err := client.Create(t.Context(), source, metav1.CreateOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	for name, test := range map[string]func(*testing.T, *server){
		"a list comes in pages of one version":                   testPages,
		"a page that is too old is told to start again":          testExpiredPage,
		"a list may be of any version, a newer, or an exact one": testResourceVersions,
		"a list with initial events ends with a bookmark":        testWatchList,
		"a watch goes on from a version":                         testWatchFrom,
		"a large answer is compressed":                           testGzip,
		"a list of metadata may be in protocol buffers":          testProtobufMetadata,
		"a watch of metadata may be in protocol buffers":         testProtobufWatch,
		"protocol buffers alone are refused in plain words":      testProtobufRefused,
		"metadata and tables can be had of everything":           testTransforms,
	} {
		t.Run(name, func(t *testing.T) { test(t, s) })
	}
}

func testPages(t *testing.T, s *server) {
	const page = 70
	client := s.client.CdiV1beta1().DataSources(crowd)
	options := metav1.ListOptions{Limit: page, LabelSelector: "half=1"}
	var names []string
	version := ""
	for {
		list, err := client.List(t.Context(), options)
		if err != nil {
			t.Fatal(err)
		}
		if len(list.Items) > page {
			t.Fatalf("a page has %d items", len(list.Items))
		}
		for _, item := range list.Items {
			names = append(names, item.Name)
		}
		if version != "" && list.ResourceVersion != version {
			t.Errorf("a page is of version %s, the first of %s", list.ResourceVersion, version)
		}
		version = list.ResourceVersion
		if options.Continue = list.Continue; options.Continue == "" {
			break
		}
		// What comes in between is not in the list.
		if _, err := client.Create(t.Context(), &v1beta1.DataSource{ObjectMeta: metav1.ObjectMeta{
			GenerateName: "s000-between-", Labels: map[string]string{"half": "1"},
		}}, metav1.CreateOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	if len(names) != sources/2 || !slices.IsSorted(names) {
		t.Errorf("%d names, want %d in order", len(names), sources/2)
	}
	if err := client.DeleteCollection(t.Context(), metav1.DeleteOptions{}, metav1.ListOptions{LabelSelector: "half=1", FieldSelector: "metadata.name!=s001"}); err != nil {
		t.Fatal(err)
	}
	rest, err := client.List(t.Context(), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if len(rest.Items) != sources/2+1 {
		t.Errorf("%d are left, want those of the other half and one", len(rest.Items))
	}
}

func testExpiredPage(t *testing.T, s *server) {
	_, err := s.client.CdiV1beta1().DataSources(crowd).List(t.Context(), metav1.ListOptions{Limit: 1, Continue: "nonsense"})
	if !apierrors.IsBadRequest(err) || !strings.Contains(err.Error(), "continue") {
		t.Errorf("got %v, want 400 about continue", err)
	}
}

func testResourceVersions(t *testing.T, s *server) {
	client := s.client.CdiV1beta1().DataSources("versions")
	first, err := client.Create(t.Context(), &v1beta1.DataSource{ObjectMeta: metav1.ObjectMeta{Name: "first"}}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := client.Create(t.Context(), &v1beta1.DataSource{ObjectMeta: metav1.ObjectMeta{Name: "second"}}, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		options metav1.ListOptions
		want    int
	}{
		"the latest":               {metav1.ListOptions{}, 2},
		"not older than the first": {metav1.ListOptions{ResourceVersion: first.ResourceVersion, ResourceVersionMatch: metav1.ResourceVersionMatchNotOlderThan}, 2},
		"exactly after the first":  {metav1.ListOptions{ResourceVersion: first.ResourceVersion, ResourceVersionMatch: metav1.ResourceVersionMatchExact}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			list, err := client.List(t.Context(), test.options)
			if err != nil {
				t.Fatal(err)
			}
			// The cache may be ahead of a version, never behind.
			if len(list.Items) != test.want {
				t.Errorf("%d items, want %d", len(list.Items), test.want)
			}
		})
	}
	err = s.client.CdiV1beta1().RESTClient().Get().Namespace("versions").Resource("datasources").
		Param("resourceVersion", "9223372036854775807").Param("resourceVersionMatch", "NotOlderThan").MaxRetries(0).Do(t.Context()).Error()
	if !apierrors.IsTimeout(err) && !strings.Contains(fmt.Sprint(err), "Too large resource version") {
		t.Errorf("a version of the future gives %v", err)
	}
}

// collect returns the events of a watch until one that last accepts.
func collect(t *testing.T, from watch.Interface, last func(watch.Event) bool) []watch.Event {
	t.Helper()
	defer from.Stop()
	var events []watch.Event
	for {
		select {
		case event, ok := <-from.ResultChan():
			if !ok {
				t.Fatalf("the watch ended after %d events", len(events))
			}
			events = append(events, event)
			if last(event) {
				return events
			}
		case <-time.After(time.Minute):
			t.Fatalf("nothing comes after %d events", len(events))
		}
	}
}

func testWatchList(t *testing.T, s *server) {
	client := s.client.CdiV1beta1().DataSources(crowd)
	list, err := client.List(t.Context(), metav1.ListOptions{LabelSelector: "half=0"})
	if err != nil {
		t.Fatal(err)
	}
	stream, err := client.Watch(t.Context(), metav1.ListOptions{
		LabelSelector: "half=0", SendInitialEvents: new(true), AllowWatchBookmarks: true,
		ResourceVersionMatch: metav1.ResourceVersionMatchNotOlderThan,
	})
	if err != nil {
		t.Fatal(err)
	}
	events := collect(t, stream, func(event watch.Event) bool { return event.Type == watch.Bookmark })
	if len(events) != len(list.Items)+1 {
		t.Errorf("%d events, want %d and a bookmark", len(events), len(list.Items))
	}
	mark, ok := events[len(events)-1].Object.(*v1beta1.DataSource)
	if !ok || mark.Annotations[metav1.InitialEventsAnnotationKey] != "true" || mark.ResourceVersion == "" {
		t.Errorf("the bookmark is %+v", events[len(events)-1].Object)
	}
}

func testWatchFrom(t *testing.T, s *server) {
	client := s.client.CdiV1beta1().DataSources("from")
	var versions []string
	for _, name := range []string{"a", "b", "c"} {
		created, err := client.Create(t.Context(), &v1beta1.DataSource{ObjectMeta: metav1.ObjectMeta{Name: name}}, metav1.CreateOptions{})
		if err != nil {
			t.Fatal(err)
		}
		versions = append(versions, created.ResourceVersion)
	}
	stream, err := client.Watch(t.Context(), metav1.ListOptions{ResourceVersion: versions[0]})
	if err != nil {
		t.Fatal(err)
	}
	events := collect(t, stream, func(event watch.Event) bool { return event.Object.(*v1beta1.DataSource).Name == "c" })
	var names []string
	for _, event := range events {
		names = append(names, string(event.Type)+" "+event.Object.(*v1beta1.DataSource).Name)
	}
	if diff := cmp.Diff([]string{"ADDED b", "ADDED c"}, names); diff != "" {
		t.Error(diff)
	}
}

// An answer is that of a server as it came.
type answer struct {
	code   int
	header http.Header
	body   []byte
}

// get asks for a path below the group-version as it is, without the client's decoding.
func get(t *testing.T, s *server, path, accept string, header ...string) answer {
	t.Helper()
	client, err := rest.HTTPClientFor(s.config)
	if err != nil {
		t.Fatal(err)
	}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.config.Host+"/apis/cdi.kubevirt.io/v1beta1/"+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Accept", accept)
	for i := 0; i+1 < len(header); i += 2 {
		request.Header.Set(header[i], header[i+1])
	}
	response, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{response.StatusCode, response.Header, body}
}

func testGzip(t *testing.T, s *server) {
	response := get(t, s, "namespaces/"+crowd+"/datasources", "application/json", "Accept-Encoding", "gzip")
	if got := response.header.Get("Content-Encoding"); got != "gzip" {
		t.Fatalf("the encoding is %q", got)
	}
	reader, err := gzip.NewReader(bytes.NewReader(response.body))
	if err != nil {
		t.Fatal(err)
	}
	list := &v1beta1.DataSourceList{}
	if err := json.NewDecoder(reader).Decode(list); err != nil {
		t.Fatal(err)
	}
	if len(list.Items) < sources/2 {
		t.Errorf("%d items", len(list.Items))
	}
}

func testProtobufMetadata(t *testing.T, s *server) {
	response := get(t, s, "namespaces/"+crowd+"/datasources", protobuf+";as=PartialObjectMetadataList;g=meta.k8s.io;v=v1")
	if got := response.header.Get("Content-Type"); response.code != http.StatusOK || !strings.HasPrefix(got, protobuf) {
		t.Errorf("answer %d of type %s", response.code, got)
	}
	client, err := metadata.NewForConfig(metadata.ConfigFor(s.config))
	if err != nil {
		t.Fatal(err)
	}
	list, err := client.Resource(v1beta1.SchemeGroupVersion.WithResource("datasources")).Namespace(crowd).List(t.Context(), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if len(list.Items) < sources/2 || list.Items[0].Labels["half"] == "" || list.Items[0].UID == "" {
		t.Errorf("%d items, the first %+v", len(list.Items), list.Items[0])
	}
}

func testProtobufWatch(t *testing.T, s *server) {
	client, err := metadata.NewForConfig(metadata.ConfigFor(s.config))
	if err != nil {
		t.Fatal(err)
	}
	stream, err := client.Resource(v1beta1.SchemeGroupVersion.WithResource("datasources")).Namespace("from").Watch(t.Context(), metav1.ListOptions{
		SendInitialEvents: new(true), AllowWatchBookmarks: true, ResourceVersionMatch: metav1.ResourceVersionMatchNotOlderThan,
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, event := range collect(t, stream, func(event watch.Event) bool { return event.Type == watch.Bookmark }) {
		if _, ok := event.Object.(*metav1.PartialObjectMetadata); !ok {
			t.Errorf("event %s of a %T", event.Type, event.Object)
		}
	}
}

func testProtobufRefused(t *testing.T, s *server) {
	response := get(t, s, "namespaces/"+crowd+"/datasources/s000", protobuf)
	status := &metav1.Status{}
	if err := json.Unmarshal(response.body, status); err != nil {
		t.Fatal(err)
	}
	if status.Code != http.StatusNotAcceptable || !strings.Contains(status.Message, "application/json") {
		t.Errorf("answer %+v", status)
	}
}

func testTransforms(t *testing.T, s *server) {
	resources, err := s.client.Discovery().ServerResourcesForGroupVersion(v1beta1.SchemeGroupVersion.String())
	if err != nil {
		t.Fatal(err)
	}
	lists := 0
	for _, resource := range resources.APIResources {
		if strings.Contains(resource.Name, "/") {
			continue
		}
		lists++
		for as, kind := range map[string]string{
			"application/json;as=Table;v=v1;g=meta.k8s.io":                     "Table",
			"application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io": "PartialObjectMetadataList",
			"application/yaml": resource.Kind + "List",
			"application/json": resource.Kind + "List",
		} {
			response := get(t, s, resource.Name, as)
			if response.code != http.StatusOK || !strings.Contains(strings.NewReplacer(`"`, "", ": ", ":").Replace(string(response.body)), "kind:"+kind) {
				t.Errorf("%s as %s: %s", resource.Name, as, response.body)
			}
		}
	}
	if lists != len(kinds()) {
		t.Errorf("%d resources, want %d", lists, len(kinds()))
	}
}

// kinds are all that is served.
func kinds() []string {
	return []string{
		"DataImportCron", "DataSource", "DataVolume", "StorageProfile", "CDIConfig", "CDI",
		"VolumeImportSource", "VolumeCloneSource", "VolumeUploadSource", "ObjectTransfer",
	}
}
