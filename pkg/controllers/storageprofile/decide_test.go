// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package storageprofile

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"goldenimage.dev/pkg/apis/cdi/v1beta1"
)

const (
	className = "fast"
	rook      = "rook-ceph.rbd.csi.ceph.com"
	foreign   = "example.com/disks"
)

func class(provisioner string, change ...func(*storagev1.StorageClass)) *storagev1.StorageClass {
	c := &storagev1.StorageClass{ObjectMeta: metav1.ObjectMeta{Name: className, UID: "class-uid"}, Provisioner: provisioner}
	for _, f := range change {
		f(c)
	}
	return c
}

func withParameter(key, value string) func(*storagev1.StorageClass) {
	return func(c *storagev1.StorageClass) { c.Parameters = map[string]string{key: value} }
}

func withStrategy(value string) func(*storagev1.StorageClass) {
	return func(c *storagev1.StorageClass) { c.Annotations = map[string]string{annCloneStrategy: value} }
}

func profile(spec v1beta1.StorageProfileSpec) *v1beta1.StorageProfile {
	return &v1beta1.StorageProfile{ObjectMeta: metav1.ObjectMeta{Name: className}, Spec: spec}
}

func volume(name string, mode *corev1.PersistentVolumeMode, access ...corev1.PersistentVolumeAccessMode) *corev1.PersistentVolume {
	return &corev1.PersistentVolume{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec:       corev1.PersistentVolumeSpec{StorageClassName: className, VolumeMode: mode, AccessModes: access},
	}
}

// sets returns claim property sets as in RWX/Block RWO/Filesystem.
func sets(list []v1beta1.ClaimPropertySet) string {
	var all []set
	for _, s := range list {
		for _, access := range s.AccessModes {
			all = append(all, set(string(access)+" "+string(*s.VolumeMode)))
		}
	}
	return short(all)
}

func TestDecide(t *testing.T) {
	const (
		known   = "It is known what provisioner rook-ceph.rbd.csi.ceph.com can do"
		unknown = "It is not known what provisioner example.com/disks can do"
		assumed = ". Claims are assumed to be ReadWriteOnce with volume mode Filesystem: set spec.claimPropertySets of this profile if they can be otherwise"
		rbd     = "RWX/Block RWO/Block RWO/Filesystem"
		nothing = "RWO/Filesystem"
	)
	ceph := []SnapshotClass{{Name: "a", Driver: "other"}, {Name: "b", Driver: rook}, {Name: "c", Driver: rook, Default: true}, {Name: "d", Driver: rook, Default: true}}
	for name, test := range map[string]struct {
		class     *storagev1.StorageClass
		spec      v1beta1.StorageProfileSpec
		snapshots []SnapshotClass
		volumes   []*corev1.PersistentVolume
		// sets, strategy, format and the snapshot class, then what is said of the provisioner.
		want, reason, message string
	}{
		"a known provisioner with snapshots": {
			class: class(rook), snapshots: ceph,
			want: rbd + ", csi-clone, snapshot, c", reason: ReasonRecognized, message: known,
		},
		"a known provisioner without snapshots": {
			class: class(rook), snapshots: ceph[:1],
			want: rbd + ", csi-clone, pvc, none", reason: ReasonRecognized, message: known,
		},
		"the first VolumeSnapshotClass by name if none is the default": {
			class: class(rook), snapshots: []SnapshotClass{ceph[0], ceph[1], {Name: "c", Driver: rook}},
			want: rbd + ", csi-clone, snapshot, b", reason: ReasonRecognized, message: known,
		},
		"what snapshots are best for is copied without them": {
			class: class("vpc.file.csi.ibm.io"),
			want:  "RWX/Filesystem RWO/Filesystem, copy, pvc, none", reason: ReasonRecognized, message: "It is known what provisioner vpc.file.csi.ibm.io can do",
		},
		"what is best copied is, though there are snapshots": {
			class: class("topolvm.io"), snapshots: []SnapshotClass{{Name: "s", Driver: "topolvm.io"}},
			want: "RWO/Block RWO/Filesystem, copy, pvc, s", reason: ReasonRecognized, message: "It is known what provisioner topolvm.io can do",
		},
		"a provisioner that was built into Kubernetes has its driver's snapshots": {
			class: class("kubernetes.io/gce-pd"), snapshots: []SnapshotClass{{Name: "s", Driver: "pd.csi.storage.gke.io"}},
			want: "RWO/Block RWO/Filesystem, snapshot, snapshot, s", reason: ReasonRecognized, message: "It is known what provisioner kubernetes.io/gce-pd can do",
		},
		"an unknown provisioner": {
			class: class(foreign), snapshots: ceph,
			want: nothing + ", copy, pvc, none", reason: ReasonUnrecognized, message: unknown + assumed,
		},
		"an unknown provisioner with snapshots": {
			class: class(foreign), snapshots: []SnapshotClass{{Name: "s", Driver: foreign}},
			want: nothing + ", snapshot, pvc, s", reason: ReasonUnrecognized, message: unknown + assumed,
		},
		"an unknown provisioner that an administrator knows": {
			class: class(foreign), spec: v1beta1.StorageProfileSpec{ClaimPropertySets: properties([]set{rwxFile})},
			want: "RWX/Filesystem, copy, pvc, none", reason: ReasonUnrecognized,
			message: unknown + ". spec.claimPropertySets of this profile says what claims can be like",
		},
		"an administrator knows a known provisioner better": {
			class: class(rook), snapshots: ceph,
			spec: v1beta1.StorageProfileSpec{
				CloneStrategy: new(hostCopy), ClaimPropertySets: properties([]set{rwoFile}),
				DataImportCronSourceFormat: new(v1beta1.DataImportCronSourceFormatPvc), SnapshotClass: new("b"),
			},
			want: nothing + ", copy, pvc, b", reason: ReasonRecognized, message: known,
		},
		"an administrator wants snapshots that there are none of": {
			class: class(foreign), spec: v1beta1.StorageProfileSpec{DataImportCronSourceFormat: new(v1beta1.DataImportCronSourceFormatSnapshot), CloneStrategy: new(snapshot)},
			want: nothing + ", snapshot, snapshot, none", reason: ReasonUnrecognized, message: unknown + assumed,
		},
		"a VolumeSnapshotClass that does not exist": {
			class: class(rook), snapshots: ceph, spec: v1beta1.StorageProfileSpec{SnapshotClass: new("gone")},
			want: rbd + ", csi-clone, pvc, none", reason: ReasonRecognized,
			message: known + ". No snapshots are made: spec.snapshotClass of this profile names VolumeSnapshotClass gone, which does not exist",
		},
		"a VolumeSnapshotClass of another driver": {
			class: class(rook), snapshots: ceph, spec: v1beta1.StorageProfileSpec{SnapshotClass: new("a")},
			want: rbd + ", csi-clone, pvc, none", reason: ReasonRecognized,
			message: known + ". No snapshots are made: spec.snapshotClass of this profile names VolumeSnapshotClass a, which is of driver other, not of " + rook,
		},
		"the StorageClass says how to clone": {
			class: class(rook, withStrategy("snapshot")), snapshots: ceph,
			want: rbd + ", snapshot, snapshot, c", reason: ReasonRecognized, message: known,
		},
		"the profile says better how to clone": {
			class: class(rook, withStrategy("snapshot")), snapshots: ceph, spec: v1beta1.StorageProfileSpec{CloneStrategy: new(csiClone)},
			want: rbd + ", csi-clone, snapshot, c", reason: ReasonRecognized, message: known,
		},
		"the StorageClass says something else": {
			class: class(rook, withStrategy("quickly")), snapshots: ceph,
			want: rbd + ", csi-clone, snapshot, c", reason: ReasonRecognized,
			message: known + ". Annotation cdi.kubevirt.io/clone-strategy of the StorageClass is ignored: it is none of copy, snapshot and csi-clone",
		},
		"parameters that do not say which storage": {
			class: class("csi.trident.netapp.io"),
			want:  nothing + ", copy, pvc, none", reason: ReasonParameters,
			message: "Provisioner csi.trident.netapp.io can do several things, and the parameters of the class (backendType, selector) do not say which" + assumed,
		},
		"a provisioner of buckets": {
			class: class("openshift-storage.noobaa.io/obc"),
			want:  "none, copy, pvc, none", reason: ReasonUnsupported, message: "Provisioner openshift-storage.noobaa.io/obc makes no volumes that could hold a disk",
		},
		"no provisioner, and volumes of several kinds": {
			class: class(noProvisioner),
			volumes: []*corev1.PersistentVolume{
				volume("a", nil, corev1.ReadWriteOnce), volume("b", new(corev1.PersistentVolumeBlock), corev1.ReadWriteOnce, corev1.ReadWriteMany), volume("c", nil, corev1.ReadWriteOnce),
			},
			want: "RWX/Block RWO/Block RWO/Filesystem, copy, pvc, none", reason: ReasonRecognized,
			message: "The class has no provisioner: its volumes show what claims can be like",
		},
		"no provisioner, and no volumes": {
			class: class(noProvisioner),
			want:  nothing + ", copy, pvc, none", reason: ReasonNoVolumes,
			message: "The class has no provisioner, and there are no volumes of it that show what claims can be like" + assumed,
		},
	} {
		t.Run(name, func(t *testing.T) {
			d := decide(input{profile: profile(test.spec), class: test.class, snapshots: test.snapshots, volumes: test.volumes})
			got := strings.Join([]string{
				sets(d.status.ClaimPropertySets), string(*d.status.CloneStrategy), string(*d.status.DataImportCronSourceFormat), ptr.Deref(d.status.SnapshotClass, "none"),
			}, ", ")
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("status (-want +got):\n%s", diff)
			}
			status := corev1.ConditionFalse
			if test.reason == ReasonRecognized || test.reason == ReasonUnsupported {
				status = corev1.ConditionTrue
			}
			if diff := cmp.Diff(state(status, test.reason, test.message), d.recognized); diff != "" {
				t.Errorf("condition (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff([]string{className, test.class.Provisioner}, []string{*d.status.StorageClass, *d.status.Provisioner}); diff != "" {
				t.Errorf("class (-want +got):\n%s", diff)
			}
		})
	}
}

func TestDecideWithoutAClass(t *testing.T) {
	want := decision{recognized: state(corev1.ConditionFalse, ReasonNoClass, "There is no StorageClass fast yet: the profile counts as soon as there is")}
	got := decide(input{profile: profile(v1beta1.StorageProfileSpec{CloneStrategy: new(csiClone)})})
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(decision{})); diff != "" {
		t.Errorf("decision (-want +got):\n%s", diff)
	}
}

func TestAnnotations(t *testing.T) {
	const driver = "pd.csi.storage.gke.io"
	plain := SnapshotClass{Name: "a-plain", Driver: driver, Default: true}
	images := SnapshotClass{Name: "images", Driver: driver, Parameters: map[string]string{"snapshot-type": "images"}}
	foreignImages := SnapshotClass{Name: "b", Driver: foreign, Parameters: images.Parameters}
	for name, test := range map[string]struct {
		class     *storagev1.StorageClass
		snapshots []SnapshotClass
		// images names the VolumeSnapshotClass that the profile's annotation names already.
		images string
		want   map[string]string
		note   string
	}{
		"none of an unknown provisioner": {class: class(foreign), snapshots: []SnapshotClass{foreignImages}, want: map[string]string{}},
		"none of most that are known":    {class: class(rook), want: map[string]string{}},
		"the smallest volume":            {class: class("ebs.csi.aws.com", withParameter(paramType, "gp3")), want: map[string]string{AnnMinimumSize: "1Gi"}},
		"the VolumeSnapshotClass that makes images of disks": {
			class: class(driver, withParameter(paramType, "hyperdisk-balanced")), snapshots: []SnapshotClass{plain, foreignImages, images},
			want: map[string]string{AnnMinimumSize: "4Gi", AnnImportReadWriteOnce: "true", AnnImportSnapshotClass: "images"},
		},
		"no VolumeSnapshotClass makes images": {
			class: class(driver), snapshots: []SnapshotClass{plain}, want: map[string]string{AnnImportReadWriteOnce: "true"},
		},
		"one that does not exist any more": {
			class: class(driver), snapshots: []SnapshotClass{plain}, images: "images", want: map[string]string{AnnImportReadWriteOnce: "true"},
			note: ". Annotation cdi.kubevirt.io/snapshotClassForDataImportCron of this profile names VolumeSnapshotClass images, which does not exist: remove it to have one chosen",
		},
		"one that does": {
			class: class(driver), snapshots: []SnapshotClass{plain}, images: "a-plain", want: map[string]string{AnnImportReadWriteOnce: "true"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			p := profile(v1beta1.StorageProfileSpec{})
			if test.images != "" {
				p.Annotations = map[string]string{AnnImportSnapshotClass: test.images}
			}
			d := decide(input{profile: p, class: test.class, snapshots: test.snapshots})
			if diff := cmp.Diff(test.want, d.annotations); diff != "" {
				t.Errorf("annotations (-want +got):\n%s", diff)
			}
			if !strings.HasSuffix(d.recognized.Message, test.note) || test.note == "" && strings.Contains(d.recognized.Message, "Annotation") {
				t.Errorf("message %q, want it to end in %q", d.recognized.Message, test.note)
			}
		})
	}
}
