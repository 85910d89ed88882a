// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"context"
	"encoding/json"
	"net/http"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
	kjson "sigs.k8s.io/json"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/features"
	featurestesting "k8s.io/client-go/features/testing"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/transport"

	cdiclient "goldenimage.dev/test/cdiclient/clientset/versioned"
	cdiinformers "goldenimage.dev/test/cdiclient/informers/externalversions"
)

const statusField = "status"

// An oldObject is a pointer to an object of CDI's types.
type oldObject[T any] interface {
	*T
	metav1.Object
	runtime.Object
}

// An oldClient is what CDI's clientset has for each kind.
type oldClient[P, L any] interface {
	Create(ctx context.Context, object P, options metav1.CreateOptions) (P, error)
	Update(ctx context.Context, object P, options metav1.UpdateOptions) (P, error)
	Delete(ctx context.Context, name string, options metav1.DeleteOptions) error
	Get(ctx context.Context, name string, options metav1.GetOptions) (P, error)
	List(ctx context.Context, options metav1.ListOptions) (L, error)
	Patch(ctx context.Context, name string, patch types.PatchType, data []byte, options metav1.PatchOptions, subresources ...string) (P, error)
}

// An oldStatusClient is what it has besides for each kind with a status.
type oldStatusClient[P any] interface {
	UpdateStatus(ctx context.Context, object P, options metav1.UpdateOptions) (P, error)
}

// TestCDIsClientsetDrivesTheServer uses what CDI generates from its types, with the informers
// in both ways that they can read a list.
func TestCDIsClientsetDrivesTheServer(t *testing.T) {
	s := start(t, dataDir(t))
	for name, streamed := range map[string]bool{"a list and then a watch": false, "a list that is streamed": true} {
		t.Run(name, func(t *testing.T) {
			featurestesting.SetFeatureDuringTest(t, features.WatchListClient, streamed)
			client, streams := newOldClient(t, s)
			factory := cdiinformers.NewSharedInformerFactory(client, 0)
			tests := oldKinds(client, factory)
			ctx, cancel := context.WithCancel(t.Context())
			defer factory.Shutdown()
			defer cancel()
			factory.StartWithContext(ctx)
			if synced := factory.WaitForCacheSyncWithContext(ctx); synced.Err != nil || len(synced.Synced) != len(tests) {
				t.Fatalf("informers have %+v", synced)
			}
			if want := int64(len(tests)); streamed != (streams.Load() == want) {
				t.Errorf("%d of %d lists were streamed", streams.Load(), want)
			}
			for kind, test := range tests {
				t.Run(kind, test)
			}
		})
	}
}

// newOldClient returns CDI's clientset and the number of lists that it asked to be streamed.
func newOldClient(t *testing.T, s *server) (*cdiclient.Clientset, *atomic.Int64) {
	t.Helper()
	streams := &atomic.Int64{}
	config := rest.CopyConfig(s.config)
	config.Wrap(transport.WrapperFunc(func(next http.RoundTripper) http.RoundTripper {
		return roundTripper(func(request *http.Request) (*http.Response, error) {
			if request.URL.Query().Get("sendInitialEvents") == "true" {
				streams.Add(1)
			}
			return next.RoundTrip(request)
		})
	}))
	client, err := cdiclient.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	return client, streams
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(request *http.Request) (*http.Response, error) { return f(request) }

// oldKinds is the table of the kinds, each with a document that fits it. Where a document has a
// status, the kind has /status; elsewhere CDI has none either.
func oldKinds(client cdiclient.Interface, factory cdiinformers.SharedInformerFactory) map[string]func(*testing.T) {
	kinds, informers := client.CdiV1beta1(), factory.Cdi().V1beta1()
	const condition = `"status":"True","reason":"R","message":"m","lastTransitionTime":"2026-01-02T03:04:05Z","lastHeartbeatTime":"2026-01-02T03:04:06Z"`
	return map[string]func(*testing.T){
		"DataImportCron": drive(kinds.DataImportCrons(namespace), informers.DataImportCrons().Informer(), `{
			"spec":{"schedule":"@daily","managedDataSource":"old","garbageCollect":"Outdated","importsToKeep":2,"retentionPolicy":"None",
				"template":{"spec":{"source":{"registry":{"url":"docker://quay.io/containerdisks/fedora:latest"}},"storage":{"resources":{"requests":{"storage":"5Gi"}}}}}},
			"status":{"currentImports":[{"DataVolumeName":"old-0123456789ab","Digest":"sha256:0123456789ab"}],"sourceFormat":"pvc",
				"lastImportedPVC":{"namespace":"golden-images","name":"p"},"lastExecutionTimestamp":"2026-01-02T03:04:05Z","conditions":[{"type":"UpToDate",`+condition+`}]}}`),
		"DataSource": drive(kinds.DataSources(namespace), informers.DataSources().Informer(), `{
			"spec":{"source":{"pvc":{"namespace":"golden-images","name":"p"}}},
			"status":{"source":{"pvc":{"namespace":"golden-images","name":"p"}},"conditions":[{"type":"Ready",`+condition+`}]}}`),
		"DataVolume": drive(kinds.DataVolumes(namespace), informers.DataVolumes().Informer(), `{
			"spec":{"source":{"registry":{"url":"docker://quay.io/containerdisks/fedora:latest","pullMethod":"node","secretRef":"s","certConfigMap":"c","platform":{"architecture":"arm64"}}},
				"contentType":"kubevirt","preallocation":true,"priorityClassName":"high",
				"storage":{"accessModes":["ReadWriteOnce"],"volumeMode":"Block","storageClassName":"fast","resources":{"requests":{"storage":"5Gi"}}}},
			"status":{"phase":"ImportInProgress","progress":"12.34%","claimName":"old","restartCount":1,"conditions":[{"type":"Running",`+condition+`}]}}`),
		"StorageProfile": drive(kinds.StorageProfiles(), informers.StorageProfiles().Informer(), `{
			"spec":{"cloneStrategy":"copy","claimPropertySets":[{"accessModes":["ReadWriteOnce"],"volumeMode":"Filesystem"}]},
			"status":{"storageClass":"old","provisioner":"example.com/p","cloneStrategy":"copy","dataImportCronSourceFormat":"pvc","snapshotClass":"s",
				"claimPropertySets":[{"accessModes":["ReadWriteOnce"],"volumeMode":"Filesystem"}]}}`),
		"CDIConfig": drive(kinds.CDIConfigs(), informers.CDIConfigs().Informer(), `{"metadata":{"name":"config"},
			"spec":{"featureGates":["HonorWaitForFirstConsumer"],"filesystemOverhead":{"global":"0.06","storageClass":{"fast":"0.1"}},
				"insecureRegistries":["registry.test:5000"],"importProxy":{"HTTPProxy":"http://proxy.test:3128","noProxy":".test"},"logVerbosity":2,
				"tlsSecurityProfile":{"type":"Custom","custom":{"ciphers":["ECDHE-ECDSA-AES128-GCM-SHA256"],"minTLSVersion":"VersionTLS12"}}},
			"status":{"scratchSpaceStorageClass":"fast","preallocation":true,"filesystemOverhead":{"global":"0.06"}}}`),
		"CDI": drive(kinds.CDIs(), informers.CDIs().Informer(), `{
			"spec":{"imagePullPolicy":"IfNotPresent","uninstallStrategy":"RemoveWorkloads","config":{"preallocation":true},"certConfig":{"ca":{"duration":"48h0m0s"}},
				"infra":{"nodeSelector":{"kubernetes.io/os":"linux"},"apiServerReplicas":2},"customizeComponents":{"flags":{"api":{"v":"3"}}}},
			"status":{"phase":"Deployed","operatorVersion":"1","targetVersion":"1","observedVersion":"1","conditions":[{"type":"Available",`+condition+`}]}}`),
		"VolumeImportSource": drive(kinds.VolumeImportSources(namespace), informers.VolumeImportSources().Informer(), `{
			"spec":{"source":{"http":{"url":"https://example.com/disk.img"}},"preallocation":true,"contentType":"kubevirt"}}`),
		"VolumeCloneSource": drive(kinds.VolumeCloneSources(namespace), informers.VolumeCloneSources().Informer(), `{
			"spec":{"source":{"kind":"PersistentVolumeClaim","name":"p"},"preallocation":true,"priorityClassName":"high"}}`),
		"VolumeUploadSource": drive(kinds.VolumeUploadSources(namespace), informers.VolumeUploadSources().Informer(), `{
			"spec":{"contentType":"kubevirt","preallocation":true}}`),
		"ObjectTransfer": drive(kinds.ObjectTransfers(), informers.ObjectTransfers().Informer(), `{
			"spec":{"source":{"kind":"DataVolume","namespace":"a","name":"v","requiredAnnotations":{"k":"v"}},"target":{"namespace":"b"},"parentName":"p"},
			"status":{"phase":"Running","data":{"k":"v"},"conditions":[{"type":"Complete",`+condition+`}]}}`),
	}
}

// drive takes an object of a document through its life and holds what is read against what was
// sent, at each step by the client, and all steps by the informer.
func drive[T any, P oldObject[T], L runtime.Object](client oldClient[P, L], informer cache.SharedIndexInformer, document string) func(*testing.T) {
	return func(t *testing.T) {
		ctx, object := t.Context(), parse[T, P](t, document)
		seen := record(t, informer, object.GetName())
		var want []string
		step := func(event string, sent, got P, err error) P {
			t.Helper()
			if err != nil {
				t.Fatal(err)
			}
			mustBeSame(t, sent, got)
			read, err := client.Get(ctx, object.GetName(), metav1.GetOptions{})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(got, read); diff != "" {
				t.Errorf("after %s (-answer +read):\n%s", event, diff)
			}
			want = append(want, event+" "+read.GetResourceVersion())
			return read
		}

		created := parse[T, P](t, document, statusField)
		got, err := client.Create(ctx, created, metav1.CreateOptions{})
		current := step("add", created, got, err)

		current.SetLabels(map[string]string{"old": "client"})
		got, err = client.Update(ctx, current, metav1.UpdateOptions{})
		current = step("update", current, got, err)

		writer, _ := client.(oldStatusClient[P])
		if hasStatus(t, document) {
			withStatus := parse[T, P](t, document)
			withStatus.SetLabels(current.GetLabels())
			withStatus.SetResourceVersion(current.GetResourceVersion())
			got, err = writer.UpdateStatus(ctx, withStatus, metav1.UpdateOptions{})
			current = step("update", withStatus, got, err)
		} else if writer != nil {
			if _, err := writer.UpdateStatus(ctx, current, metav1.UpdateOptions{}); !apierrors.IsNotFound(err) {
				t.Errorf("got %v for a status that is not served, want 404", err)
			}
		}

		patch := []byte(`{"metadata":{"labels":{"old":"patched"}}}`)
		got, err = client.Patch(ctx, object.GetName(), types.MergePatchType, patch, metav1.PatchOptions{})
		current.SetLabels(map[string]string{"old": "patched"})
		current = step("update", current, got, err)

		mustList(t, client, current)
		if err := client.Delete(ctx, object.GetName(), metav1.DeleteOptions{}); err != nil {
			t.Fatal(err)
		}
		if _, err := client.Get(ctx, object.GetName(), metav1.GetOptions{}); !apierrors.IsNotFound(err) {
			t.Errorf("got %v for a deleted object, want 404", err)
		}
		mustHaveSeen(t, append(want, "delete"), seen)
	}
}

// parse reads a document as one of CDI's types, without some of its fields. An object that has
// no name gets one.
func parse[T any, P oldObject[T]](t *testing.T, document string, without ...string) P {
	t.Helper()
	fields := fieldsOf(t, document)
	for _, name := range without {
		delete(fields, name)
	}
	data, err := json.Marshal(fields)
	if err != nil {
		t.Fatal(err)
	}
	object := P(new(T))
	if unknown, err := kjson.UnmarshalStrict(data, object); err != nil || len(unknown) > 0 {
		t.Fatal(err, unknown)
	}
	if object.GetName() == "" {
		object.SetName("old")
	}
	return object
}

func fieldsOf(t *testing.T, document string) map[string]json.RawMessage {
	t.Helper()
	var fields map[string]json.RawMessage
	if err := json.Unmarshal([]byte(document), &fields); err != nil {
		t.Fatal(err)
	}
	return fields
}

func hasStatus(t *testing.T, document string) bool {
	t.Helper()
	_, ok := fieldsOf(t, document)[statusField]
	return ok
}
