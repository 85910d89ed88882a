// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package validation

import (
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"goldenimage.dev/pkg/apis/cdi"
)

const (
	supportedSources = "supported are registry with url, http, pvc, and sourceRef"
	originWords      = "Data volume should have either Source or SourceRef, or be externally populated: "
)

// A volumeCase is a change of a valid DataVolume, and what is wrong with it then.
type volumeCase struct {
	change func(*cdi.DataVolume)
	want   []fault
}

func runVolumeCases(t *testing.T, valid func() *cdi.DataVolume, cases map[string]volumeCase) {
	t.Helper()
	for name, test := range cases {
		t.Run(name, func(t *testing.T) {
			volume := valid()
			test.change(volume)
			compare(t, test.want, ValidateDataVolume(volume))
		})
	}
}

func TestValidateDataVolumeObject(t *testing.T) {
	runVolumeCases(t, fedoraRef, map[string]volumeCase{
		"the documented example is valid": {func(*cdi.DataVolume) {}, nil},
		"the longest name is valid":       {func(v *cdi.DataVolume) { v.Name = strings.Repeat("a", 253) }, nil},
		"a name is 254 long":              {func(v *cdi.DataVolume) { v.Name = strings.Repeat("a", 254) }, []fault{invalid("metadata.name", "Name cannot be longer than 253 characters")}},
		"a name is none":                  {func(v *cdi.DataVolume) { v.Name = "a_b" }, []fault{invalid("metadata.name", badName)}},
		"pods get a class and an account": {func(v *cdi.DataVolume) { v.Spec.PriorityClassName, v.Spec.ServiceAccountName = "high", "importer" }, nil},
		"the class and the account are no names": {func(v *cdi.DataVolume) { v.Spec.PriorityClassName, v.Spec.ServiceAccountName = "a b", "C" }, []fault{
			invalid("spec.priorityClassName", "priority class is not valid: "+badName),
			invalid("spec.serviceAccountName", "service account is not valid: "+badName),
		}},
		"everything is wrong, and all of it is told": {func(v *cdi.DataVolume) { *v = cdi.DataVolume{} }, []fault{
			required("metadata.name", "name or generateName is required"),
			required("metadata.namespace", ""),
			required("spec.source", originWords+supportedSources),
			required("spec.storage", "Missing Data volume PVC: give storage, or pvc"),
		}},
	})
}

func TestValidateDataVolumeSourceRef(t *testing.T) {
	runVolumeCases(t, fedoraRef, map[string]volumeCase{
		"another namespace is valid":         {func(v *cdi.DataVolume) { v.Spec.SourceRef.Namespace = new("elsewhere") }, nil},
		"an empty namespace means the own":   {func(v *cdi.DataVolume) { v.Spec.SourceRef.Namespace = new("") }, nil},
		"kind is missing":                    {func(v *cdi.DataVolume) { v.Spec.SourceRef.Kind = "" }, []fault{required("spec.sourceRef.kind", "Missing sourceRef kind: give DataSource")}},
		"kind is another":                    {func(v *cdi.DataVolume) { v.Spec.SourceRef.Kind = "Secret" }, []fault{unsupported("spec.sourceRef.kind", "Unsupported sourceRef kind Secret, currently only DataSource is supported")}},
		"name is missing":                    {func(v *cdi.DataVolume) { v.Spec.SourceRef.Name = "" }, []fault{required("spec.sourceRef.name", "Missing sourceRef name: give the name of a DataSource")}},
		"name and namespace are none":        {func(v *cdi.DataVolume) { v.Spec.SourceRef.Name, v.Spec.SourceRef.Namespace = "a/b", new("a.b") }, []fault{invalid("spec.sourceRef.name", "sourceRef name is not valid: "+badName), invalid("spec.sourceRef.namespace", "sourceRef namespace is not valid: must not contain dots")}},
		"all is missing":                     {func(v *cdi.DataVolume) { v.Spec.SourceRef = &cdi.DataVolumeSourceRef{} }, []fault{required("spec.sourceRef.kind", "Missing sourceRef kind: give DataSource"), required("spec.sourceRef.name", "Missing sourceRef name: give the name of a DataSource")}},
		"there is a source besides":          {func(v *cdi.DataVolume) { v.Spec.Source = fedoraImport().Spec.Source }, []fault{forbidden("spec.sourceRef", originWords+"leave out source or sourceRef")}},
		"there is neither":                   {func(v *cdi.DataVolume) { v.Spec.SourceRef = nil }, []fault{required("spec.source", originWords+supportedSources)}},
		"an archive cannot be cloned":        {func(v *cdi.DataVolume) { v.Spec.ContentType = cdi.DataVolumeArchive }, []fault{unsupported("spec.contentType", "archive is not supported: leave it out or give kubevirt")}},
		"content is a disk, said in so many": {func(v *cdi.DataVolume) { v.Spec.ContentType = cdi.DataVolumeKubeVirt }, nil},
	})
}

func TestValidateDataVolumeSource(t *testing.T) {
	source := func(v *cdi.DataVolume) *cdi.DataVolumeSource {
		v.Spec.Source = &cdi.DataVolumeSource{}
		return v.Spec.Source
	}
	unsupportedSource := func(kind string, more ...fault) []fault {
		return append([]fault{forbidden("spec.source."+kind, "source "+kind+" is not supported: "+supportedSources)}, more...)
	}
	noURL := func(kind string) fault {
		return required("spec.source."+kind+".url", "spec.source source URL is empty: give one")
	}
	pvc := func(namespace, name string) func(*cdi.DataVolume) {
		return func(v *cdi.DataVolume) { source(v).PVC = &cdi.DataVolumeSourcePVC{Namespace: namespace, Name: name} }
	}
	runVolumeCases(t, fedoraImport, map[string]volumeCase{
		"an import is valid":            {func(*cdi.DataVolume) {}, nil},
		"a clone is valid":              {pvc("elsewhere", "disk"), nil},
		"a namesake elsewhere is valid": {pvc("elsewhere", "fedora-0123456789ab"), nil},
		"it is a copy of itself": {pvc("golden-images", "fedora-0123456789ab"), []fault{invalid("spec.source.pvc.name",
			"source PVC is not valid: it is the claim that the DataVolume itself makes: give another claim or name the DataVolume otherwise")}},
		"the claim has neither name nor namespace": {pvc("", ""), []fault{
			required("spec.source.pvc.namespace", "source PVC is not valid: give a namespace"),
			required("spec.source.pvc.name", "source PVC is not valid: give a name"),
		}},
		"name and namespace of the claim are none": {pvc("A", "B"), []fault{
			invalid("spec.source.pvc.namespace", "source PVC is not valid: "+badLabel),
			invalid("spec.source.pvc.name", "source PVC is not valid: "+badName),
		}},
		"the source is empty": {func(v *cdi.DataVolume) { source(v) }, []fault{required("spec.source", "Missing Data volume source: "+supportedSources)}},
		"there are two sources": {func(v *cdi.DataVolume) { v.Spec.Source.PVC = &cdi.DataVolumeSourcePVC{Namespace: "a", Name: "b"} },
			[]fault{invalid("spec.source", "Multiple Data volume sources: give one of them")}},
		"http":   {func(v *cdi.DataVolume) { source(v).HTTP = &cdi.DataVolumeSourceHTTP{} }, []fault{noURL("http")}},
		"s3":     {func(v *cdi.DataVolume) { source(v).S3 = &cdi.DataVolumeSourceS3{} }, unsupportedSource("s3", noURL("s3"))},
		"gcs":    {func(v *cdi.DataVolume) { source(v).GCS = &cdi.DataVolumeSourceGCS{} }, unsupportedSource("gcs", noURL("gcs"))},
		"upload": {func(v *cdi.DataVolume) { source(v).Upload = &cdi.DataVolumeSourceUpload{} }, unsupportedSource("upload")},
		"blank":  {func(v *cdi.DataVolume) { source(v).Blank = &cdi.DataVolumeBlankImage{} }, unsupportedSource("blank")},
		"imageio": {func(v *cdi.DataVolume) {
			source(v).Imageio = &cdi.DataVolumeSourceImageIO{URL: "https://engine.example", SecretRef: "a", DiskID: "b", CertConfigMap: "c"}
		}, unsupportedSource("imageio")},
		"vddk": {func(v *cdi.DataVolume) {
			source(v).VDDK = &cdi.DataVolumeSourceVDDK{URL: "https://vcenter.example", SecretRef: "a", UUID: "b", BackingFile: "c", Thumbprint: "d"}
		}, unsupportedSource("vddk")},
		"snapshot": {func(v *cdi.DataVolume) {
			source(v).Snapshot = &cdi.DataVolumeSourceSnapshot{Namespace: "a", Name: "b"}
		}, unsupportedSource("snapshot")},
		"a snapshot of no name": {func(v *cdi.DataVolume) { source(v).Snapshot = &cdi.DataVolumeSourceSnapshot{} }, unsupportedSource("snapshot",
			required("spec.source.snapshot.namespace", "source snapshot is not valid: give a namespace"),
			required("spec.source.snapshot.name", "source snapshot is not valid: give a name"))},
		"two unsupported sources are both told": {func(v *cdi.DataVolume) {
			s := source(v)
			s.S3, s.Blank = &cdi.DataVolumeSourceS3{}, &cdi.DataVolumeBlankImage{}
		}, append(append([]fault{invalid("spec.source", "Multiple Data volume sources: give one of them")}, unsupportedSource("s3", noURL("s3"))...), unsupportedSource("blank")...)},
		"a file is valid": {func(v *cdi.DataVolume) {
			source(v).HTTP = &cdi.DataVolumeSourceHTTP{URL: "https://images.example/disk.qcow2?version=1", ExtraHeaders: []string{"X-Site: one"}}
		}, nil},
		"a file that cannot be read": {func(v *cdi.DataVolume) {
			source(v).HTTP = &cdi.DataVolumeSourceHTTP{URL: "https://user:hunter2@images.example/disk", ExtraHeaders: []string{"hunter2"}}
		}, []fault{
			invalid("spec.source.http.url", "Invalid source URL: …@images.example/disk: it holds a user name or password: name a Secret by secretRef instead"),
			invalid("spec.source.http.extraHeaders[0]", "header is not valid: give one line of the form Name: value"),
		}},
		"a file that is an archive": {func(v *cdi.DataVolume) {
			source(v).HTTP = &cdi.DataVolumeSourceHTTP{URL: "https://images.example/disk.tar"}
			v.Spec.ContentType = cdi.DataVolumeArchive
		}, []fault{unsupported("spec.contentType", "archive is not supported: leave it out or give kubevirt")}},
		"content is unknown": {func(v *cdi.DataVolume) { v.Spec.ContentType = "iso" },
			[]fault{unsupported("spec.contentType", "ContentType not one of: kubevirt, archive: leave it out or give kubevirt")}},
		"an image holds no archive": {func(v *cdi.DataVolume) { v.Spec.ContentType = cdi.DataVolumeArchive },
			[]fault{unsupported("spec.contentType", "ContentType must be kubevirt when Source is Registry: leave it out or give kubevirt")}},
		"a blank archive": {func(v *cdi.DataVolume) {
			source(v).Blank = &cdi.DataVolumeBlankImage{}
			v.Spec.ContentType = cdi.DataVolumeArchive
		}, append(unsupportedSource("blank"),
			unsupported("spec.contentType", "SourceType cannot be blank and the contentType be archive: leave it out or give kubevirt"))},
		"checkpoints": {func(v *cdi.DataVolume) {
			v.Spec.Checkpoints, v.Spec.FinalCheckpoint = []cdi.DataVolumeCheckpoint{{Current: "a"}}, true
		}, []fault{
			forbidden("spec.checkpoints", "multi-stage imports are not supported: leave it out"),
			forbidden("spec.finalCheckpoint", "multi-stage imports are not supported: leave it out"),
		}},
	})
}

func TestValidateDataVolumeTarget(t *testing.T) {
	const size, pvcSize = "spec.storage.resources.requests.storage", "spec.pvc.resources.requests.storage"
	modes := func(modes ...corev1.PersistentVolumeAccessMode) []corev1.PersistentVolumeAccessMode { return modes }
	runVolumeCases(t, fedoraImport, map[string]volumeCase{
		"pvc is valid": {func(v *cdi.DataVolume) { asPVC(&v.Spec) }, nil},
		"pvc with all that it may have is valid": {func(v *cdi.DataVolume) {
			p := asPVC(&v.Spec)
			p.VolumeMode, p.StorageClassName, p.VolumeName = new(corev1.PersistentVolumeBlock), new("fast"), "pv-1"
			p.Selector = &metav1.LabelSelector{MatchLabels: map[string]string{"a": "b"}}
		}, nil},
		"storage with several modes is valid": {func(v *cdi.DataVolume) {
			v.Spec.Storage.AccessModes = modes(corev1.ReadWriteMany, corev1.ReadWriteOnce, corev1.ReadOnlyMany)
			v.Spec.Storage.VolumeMode = new(corev1.PersistentVolumeFilesystem)
		}, nil},
		"the smallest volume is valid": {func(v *cdi.DataVolume) { v.Spec.Storage.Resources = request("1Mi") }, nil},
		"neither pvc nor storage":      {func(v *cdi.DataVolume) { v.Spec.Storage = nil }, []fault{required("spec.storage", "Missing Data volume PVC: give storage, or pvc")}},
		"both": {func(v *cdi.DataVolume) { s := v.Spec.Storage; asPVC(&v.Spec); v.Spec.Storage = s },
			[]fault{forbidden("spec.pvc", "Duplicate storage definition, both target storage and target pvc defined: leave out pvc or storage")}},

		"size is missing":         {func(v *cdi.DataVolume) { v.Spec.Storage.Resources = corev1.VolumeResourceRequirements{} }, []fault{required(size, "Storage size is missing: give one such as 10Gi")}},
		"size of pvc is missing":  {func(v *cdi.DataVolume) { asPVC(&v.Spec).Resources = corev1.VolumeResourceRequirements{} }, []fault{required(pvcSize, "PVC size is missing: give one such as 10Gi")}},
		"size is zero":            {func(v *cdi.DataVolume) { v.Spec.Storage.Resources = request("0") }, []fault{invalid(size, "Storage size can't be equal or less than zero: give one such as 10Gi")}},
		"size of pvc is negative": {func(v *cdi.DataVolume) { asPVC(&v.Spec).Resources = request("-1Gi") }, []fault{invalid(pvcSize, "PVC size can't be equal or less than zero: give one such as 10Gi")}},
		"size is below 1MiB":      {func(v *cdi.DataVolume) { v.Spec.Storage.Resources = request("1048575") }, []fault{invalid(size, "Storage size should be at least 1MiB: give one such as 10Gi")}},
		"size overflows":          {func(v *cdi.DataVolume) { v.Spec.Storage.Resources = request("100E") }, []fault{invalid(size, "Storage size is larger than any volume: at most 4Ei is accepted")}},
		"size is beyond 64 bits":  {func(v *cdi.DataVolume) { v.Spec.Storage.Resources = request("1e40") }, []fault{invalid(size, "Storage size is larger than any volume: at most 4Ei is accepted")}},
		"a limit is below the size": {func(v *cdi.DataVolume) {
			v.Spec.Storage.Resources.Limits = corev1.ResourceList{corev1.ResourceStorage: resource.MustParse("1Gi")}
		}, []fault{invalid("spec.storage.resources.limits.storage", "the limit is below the requested size: leave it out")}},

		"pvc has no mode": {func(v *cdi.DataVolume) { asPVC(&v.Spec).AccessModes = nil },
			[]fault{required("spec.pvc.accessModes", "at least 1 access mode is required; storage in place of pvc takes the storage class's")}},
		"pvc has two modes": {func(v *cdi.DataVolume) {
			asPVC(&v.Spec).AccessModes = modes(corev1.ReadWriteOnce, corev1.ReadWriteMany)
		},
			[]fault{invalid("spec.pvc.accessModes", "PVC multiple accessModes: give one")}},
		"a mode of pvc is unknown": {func(v *cdi.DataVolume) { asPVC(&v.Spec).AccessModes = modes("RWX") },
			[]fault{unsupported("spec.pvc.accessModes[0]", `supported values: "ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod"`)}},
		"the second mode of storage is unknown": {func(v *cdi.DataVolume) { v.Spec.Storage.AccessModes = modes(corev1.ReadWriteOnce, "") },
			[]fault{unsupported("spec.storage.accessModes[1]", `supported values: "ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod"`)}},
		"a mode excludes the others": {func(v *cdi.DataVolume) {
			v.Spec.Storage.AccessModes = modes(corev1.ReadWriteOncePod, corev1.ReadWriteOnce)
		},
			[]fault{forbidden("spec.storage.accessModes", "ReadWriteOncePod cannot be combined with other access modes")}},
		"the volume mode is unknown": {func(v *cdi.DataVolume) { v.Spec.Storage.VolumeMode = new(corev1.PersistentVolumeMode("Tape")) },
			[]fault{unsupported("spec.storage.volumeMode", `supported values: "Filesystem", "Block"`)}},
		"the class's name is too long": {func(v *cdi.DataVolume) { v.Spec.Storage.StorageClassName = new(strings.Repeat("a", 254)) },
			[]fault{invalid("spec.storage.storageClassName", "Name cannot be longer than 253 characters")}},
		"the class's name is none": {func(v *cdi.DataVolume) { v.Spec.Storage.StorageClassName = new("a b") },
			[]fault{invalid("spec.storage.storageClassName", "name of the StorageClass is not valid: "+badName)}},
		"the volume's name is none": {func(v *cdi.DataVolume) { v.Spec.Storage.VolumeName = "A" },
			[]fault{invalid("spec.storage.volumeName", "name of the PersistentVolume is not valid: "+badName)}},
		"the selector is malformed": {func(v *cdi.DataVolume) {
			v.Spec.Storage.Selector = &metav1.LabelSelector{MatchExpressions: []metav1.LabelSelectorRequirement{{Key: "a", Operator: "Near"}}}
		}, []fault{invalid("spec.storage.selector.matchExpressions[0].operator", "not a valid selector operator")}},
		"another controller shall fill it": {func(v *cdi.DataVolume) {
			v.Spec.Source = nil
			v.Spec.Storage.DataSource = &corev1.TypedLocalObjectReference{APIGroup: new("example.org"), Kind: "Populator", Name: "a"}
		}, []fault{required("spec.source", originWords+supportedSources), forbidden("spec.storage.dataSource", externalPopulation)}},
	})
}

func TestCloneMayLeaveOutItsSize(t *testing.T) {
	sizeless := func(volume *cdi.DataVolume) { volume.Spec.Storage.Resources = corev1.VolumeResourceRequirements{} }
	for name, test := range map[string]volumeCase{
		"of a sourceRef by storage":     {sizeless, nil},
		"of a pvc by storage":           {func(v *cdi.DataVolume) { sizeless(v); clonePVC(v) }, nil},
		"but not by pvc":                {func(v *cdi.DataVolume) { sizeless(v); asPVC(&v.Spec) }, []fault{required("spec.pvc.resources.requests.storage", "PVC size is missing: give one such as 10Gi")}},
		"but if it is given, it counts": {func(v *cdi.DataVolume) { v.Spec.Storage.Resources = request("1") }, []fault{invalid("spec.storage.resources.requests.storage", "Storage size should be at least 1MiB: give one such as 10Gi")}},
	} {
		t.Run(name, func(t *testing.T) {
			volume := fedoraRef()
			test.change(volume)
			compare(t, test.want, ValidateDataVolume(volume))
		})
	}
}

func clonePVC(v *cdi.DataVolume) {
	v.Spec.SourceRef = nil
	v.Spec.Source = &cdi.DataVolumeSource{PVC: &cdi.DataVolumeSourcePVC{Namespace: "a", Name: "b"}}
}

func TestValidateDataVolumeUpdate(t *testing.T) {
	for name, test := range map[string]struct {
		change func(*cdi.DataVolume)
		// want are the fields that are told to be immutable.
		want []string
	}{
		"nothing changes":           {func(*cdi.DataVolume) {}, nil},
		"labels change":             {func(v *cdi.DataVolume) { v.Labels = map[string]string{"a": "b"} }, nil},
		"the status changes":        {func(v *cdi.DataVolume) { v.Status.Phase = cdi.Succeeded }, nil},
		"a size is said otherwise":  {func(v *cdi.DataVolume) { v.Spec.Storage.Resources = request("5120Mi") }, nil},
		"source and pvc change":     {func(v *cdi.DataVolume) { clonePVC(v); asPVC(&v.Spec) }, []string{"spec.source", "spec.sourceRef", "spec.pvc", "spec.storage"}},
		"all that is simple change": {changeSimple, []string{"spec.priorityClassName", "spec.serviceAccountName", "spec.contentType", "spec.checkpoints", "spec.finalCheckpoint", "spec.preallocation"}},
	} {
		t.Run(name, func(t *testing.T) {
			old := fedoraRef()
			updated := old.DeepCopy()
			test.change(updated)
			var want []fault
			for _, path := range test.want {
				want = append(want, invalid(path, "Cannot update DataVolume Spec: field is immutable: create another DataVolume"))
			}
			compare(t, want, ValidateDataVolumeUpdate(updated, old))
		})
	}
}

func changeSimple(v *cdi.DataVolume) {
	v.Spec.PriorityClassName, v.Spec.ServiceAccountName, v.Spec.ContentType = "a", "b", cdi.DataVolumeKubeVirt
	v.Spec.Checkpoints, v.Spec.FinalCheckpoint, v.Spec.Preallocation = []cdi.DataVolumeCheckpoint{{}}, true, new(false)
}
