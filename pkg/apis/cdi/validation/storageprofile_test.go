// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package validation

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"goldenimage.dev/pkg/apis/cdi"
)

const accessModesWords = `supported values: "ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod"`

func hostpathProfile() *cdi.StorageProfile {
	return &cdi.StorageProfile{ObjectMeta: metav1.ObjectMeta{Name: "hostpath-provisioner"}}
}

func propertySet(mode corev1.PersistentVolumeMode, modes ...corev1.PersistentVolumeAccessMode) cdi.ClaimPropertySet {
	return cdi.ClaimPropertySet{AccessModes: modes, VolumeMode: &mode}
}

// manySets returns sets that are all valid, and all the same.
func manySets(count int) []cdi.ClaimPropertySet {
	sets := make([]cdi.ClaimPropertySet, count)
	for i := range sets {
		sets[i] = propertySet(corev1.PersistentVolumeBlock, corev1.ReadWriteOnce)
	}
	return sets
}

func duplicate(path string) fault { return fault{field.ErrorTypeDuplicate, path, ""} }

func tooMany(path string, limit int) fault {
	return fault{field.ErrorTypeTooMany, path, fmt.Sprintf("must have at most %d items", limit)}
}

func TestValidateStorageProfile(t *testing.T) {
	const block, filesystem = corev1.PersistentVolumeBlock, corev1.PersistentVolumeFilesystem
	sets := func(sets ...cdi.ClaimPropertySet) func(*cdi.StorageProfile) {
		return func(p *cdi.StorageProfile) { p.Spec.ClaimPropertySets = sets }
	}
	for name, test := range map[string]struct {
		change func(*cdi.StorageProfile)
		want   []fault
	}{
		"an empty one is valid": {func(*cdi.StorageProfile) {}, nil},
		"all that may be given is valid": {func(p *cdi.StorageProfile) {
			p.Spec = cdi.StorageProfileSpec{
				CloneStrategy:              new(cdi.CloneStrategyCsiClone),
				ClaimPropertySets:          []cdi.ClaimPropertySet{propertySet(block, corev1.ReadWriteMany, corev1.ReadWriteOnce, corev1.ReadOnlyMany), propertySet(filesystem, corev1.ReadWriteOncePod)},
				DataImportCronSourceFormat: new(cdi.DataImportCronSourceFormatSnapshot), SnapshotClass: new("csi-snap"),
			}
		}, nil},
		"eight sets are valid":             {sets(manySets(8)...), nil},
		"nine sets are too many":           {sets(manySets(9)...), []fault{tooMany("spec.claimPropertySets", 8)}},
		"it has the name of no class":      {func(p *cdi.StorageProfile) { p.Name = "Fast" }, []fault{invalid("metadata.name", badName)}},
		"it is in a namespace":             {func(p *cdi.StorageProfile) { p.Namespace = "a" }, []fault{forbidden("metadata.namespace", "not allowed on this type")}},
		"its name is too long":             {func(p *cdi.StorageProfile) { p.Name = strings.Repeat("a", 254) }, []fault{invalid("metadata.name", "Name cannot be longer than 253 characters")}},
		"the clone strategy copy is valid": {func(p *cdi.StorageProfile) { p.Spec.CloneStrategy = new(cdi.CloneStrategyHostAssisted) }, nil},
		"the clone strategy is unknown": {func(p *cdi.StorageProfile) { p.Spec.CloneStrategy = new(cdi.CDICloneStrategy("Copy")) },
			[]fault{unsupported("spec.cloneStrategy", "Illegal clone strategy: accepted are copy, snapshot, csi-clone")}},
		"the format is unknown": {func(p *cdi.StorageProfile) {
			p.Spec.DataImportCronSourceFormat = new(cdi.DataImportCronSourceFormat("PVC"))
		}, []fault{unsupported("spec.dataImportCronSourceFormat", "Illegal source format: accepted are pvc, snapshot")}},
		"the snapshot class is empty": {func(p *cdi.StorageProfile) { p.Spec.SnapshotClass = new("") },
			[]fault{required("spec.snapshotClass", "name of the VolumeSnapshotClass is not valid: give a name")}},
		"the snapshot class is no name": {func(p *cdi.StorageProfile) { p.Spec.SnapshotClass = new("a b") },
			[]fault{invalid("spec.snapshotClass", "name of the VolumeSnapshotClass is not valid: "+badName)}},
		"a set is empty": {sets(cdi.ClaimPropertySet{}), []fault{
			required("spec.claimPropertySets[0].accessModes", "give 1 to 4 of ReadOnlyMany, ReadWriteMany, ReadWriteOnce and ReadWriteOncePod"),
			required("spec.claimPropertySets[0].volumeMode", "give Filesystem or Block"),
		}},
		"modes of a set are unknown": {sets(propertySet(block, corev1.ReadWriteOnce), propertySet("Tape", "RWX")), []fault{
			unsupported("spec.claimPropertySets[1].accessModes[0]", accessModesWords),
			unsupported("spec.claimPropertySets[1].volumeMode", `supported values: "Filesystem", "Block"`),
		}},
		"a mode is given twice": {sets(propertySet(block, corev1.ReadWriteOnce, corev1.ReadWriteOnce)), []fault{duplicate("spec.claimPropertySets[0].accessModes[1]")}},
		"a mode excludes the others": {sets(propertySet(block, corev1.ReadWriteOnce, corev1.ReadWriteOncePod)),
			[]fault{forbidden("spec.claimPropertySets[0].accessModes", "ReadWriteOncePod cannot be combined with other access modes")}},
		"five modes are too many": {sets(propertySet(block, corev1.ReadWriteOnce, corev1.ReadOnlyMany, corev1.ReadWriteMany, corev1.ReadWriteOnce, corev1.ReadOnlyMany)), []fault{
			tooMany("spec.claimPropertySets[0].accessModes", 4),
			duplicate("spec.claimPropertySets[0].accessModes[3]"),
			duplicate("spec.claimPropertySets[0].accessModes[4]"),
		}},
		"a set's volume mode is to be chosen": {sets(propertySet("FromStorageProfile", corev1.ReadWriteOnce)),
			[]fault{unsupported("spec.claimPropertySets[0].volumeMode", "it is for claims that are completed at admission: leave it out: storage without it takes the storage class's, pvc without it is a Filesystem")}},
	} {
		t.Run(name, func(t *testing.T) {
			profile := hostpathProfile()
			test.change(profile)
			compare(t, test.want, ValidateStorageProfile(profile))
			// An update that makes the same of a valid one is held to the same rules of the spec.
			var want []fault
			for _, f := range test.want {
				if !strings.HasPrefix(f.Field, "metadata") {
					want = append(want, f)
				}
			}
			compare(t, want, ValidateStorageProfileUpdate(profile, hostpathProfile()))
			compare(t, nil, ValidateStorageProfileUpdate(profile, profile))
		})
	}
}

func TestValidateStorageProfileStatusUpdate(t *testing.T) {
	updated := hostpathProfile()
	updated.Status = cdi.StorageProfileStatus{
		StorageClass: new("A"), CloneStrategy: new(cdi.CDICloneStrategy("x")), ClaimPropertySets: []cdi.ClaimPropertySet{{}},
		DataImportCronSourceFormat: new(cdi.DataImportCronSourceFormat("x")), SnapshotClass: new("A"),
		Conditions: []cdi.StorageProfileCondition{
			{Type: cdi.StorageProfileRecognized, ConditionState: cdi.ConditionState{Status: corev1.ConditionTrue}},
			{Type: cdi.StorageProfileRecognized, ConditionState: cdi.ConditionState{Status: "Perhaps"}},
		},
	}
	compare(t, []fault{
		unsupported("status.cloneStrategy", "Illegal clone strategy: accepted are copy, snapshot, csi-clone"),
		required("status.claimPropertySets[0].accessModes", "give 1 to 4 of ReadOnlyMany, ReadWriteMany, ReadWriteOnce and ReadWriteOncePod"),
		required("status.claimPropertySets[0].volumeMode", "give Filesystem or Block"),
		unsupported("status.dataImportCronSourceFormat", "Illegal source format: accepted are pvc, snapshot"),
		invalid("status.snapshotClass", "name of the VolumeSnapshotClass is not valid: "+badName),
		invalid("status.storageClass", "name of the StorageClass is not valid: "+badName),
		duplicate("status.conditions[1].type"),
		unsupported("status.conditions[1].status", "Illegal status: accepted are True, False, Unknown"),
	}, ValidateStorageProfileStatusUpdate(updated, hostpathProfile()))
	compare(t, nil, ValidateStorageProfileStatusUpdate(updated, updated))

	usual := hostpathProfile()
	usual.Status = cdi.StorageProfileStatus{
		StorageClass: new("hostpath-provisioner"), Provisioner: new("kubevirt.io.hostpath-provisioner"), CloneStrategy: new(cdi.CloneStrategyHostAssisted),
		ClaimPropertySets:          []cdi.ClaimPropertySet{propertySet(corev1.PersistentVolumeFilesystem, corev1.ReadWriteOnce)},
		DataImportCronSourceFormat: new(cdi.DataImportCronSourceFormatPvc),
	}
	compare(t, nil, ValidateStorageProfileStatusUpdate(usual, hostpathProfile()))
}

func TestWarningsForStorageProfile(t *testing.T) {
	for name, test := range map[string]struct {
		spec cdi.StorageProfileSpec
		want []string
	}{
		"nothing": {cdi.StorageProfileSpec{}, nil},
		"what is done": {cdi.StorageProfileSpec{
			CloneStrategy: new(cdi.CloneStrategyHostAssisted), DataImportCronSourceFormat: new(cdi.DataImportCronSourceFormatPvc), ClaimPropertySets: manySets(1),
		}, nil},
		"what is not done": {cdi.StorageProfileSpec{
			CloneStrategy: new(cdi.CloneStrategySnapshot), DataImportCronSourceFormat: new(cdi.DataImportCronSourceFormatSnapshot), SnapshotClass: new("csi-snap"),
		}, []string{
			"spec.dataImportCronSourceFormat: this server keeps imports as claims: snapshot is stored and not acted on",
			"spec.cloneStrategy: this server copies volumes: snapshot is stored and not acted on",
			"spec.snapshotClass: this server takes no snapshots: it is stored and not acted on",
		}},
		"a set that comes twice": {cdi.StorageProfileSpec{ClaimPropertySets: manySets(2)},
			[]string{"spec.claimPropertySets[1]: it says the same as an earlier one, which counts"}},
	} {
		t.Run(name, func(t *testing.T) {
			profile := hostpathProfile()
			profile.Spec = test.spec
			if diff := cmp.Diff(test.want, WarningsForStorageProfile(profile)); diff != "" {
				t.Errorf("warnings (-want +got):\n%s", diff)
			}
		})
	}
}
