// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package storageprofile

import (
	"fmt"
	"slices"
)

// A SnapshotClass is what counts of a VolumeSnapshotClass.
type SnapshotClass struct {
	Name, Driver string
	// Default is preferred to others of the driver.
	Default    bool
	Parameters map[string]string
}

// ofDriver returns the VolumeSnapshotClasses for volumes of the class.
func (in input) ofDriver() []SnapshotClass {
	name := driver(in.class.Provisioner)
	return slices.DeleteFunc(slices.Clone(in.snapshots), func(s SnapshotClass) bool { return s.Driver != name })
}

// snapshotClass returns the VolumeSnapshotClass for snapshots of the class's volumes, "" if there
// is none, and what is wrong with the one that was asked for. None stands in for that: where
// snapshots go is an administrator's to say.
func (in input) snapshotClass() (name, note string) {
	if asked := in.profile.Spec.SnapshotClass; asked != nil {
		if problem := in.wrongSnapshotClass(*asked); problem != "" {
			return "", "No snapshots are made: spec.snapshotClass of this profile names " + problem
		}
		return *asked, ""
	}
	candidates := in.ofDriver()
	if len(candidates) == 0 {
		return "", ""
	}
	if i := slices.IndexFunc(candidates, func(s SnapshotClass) bool { return s.Default }); i >= 0 {
		return candidates[i].Name, ""
	}
	return candidates[0].Name, ""
}

// wrongSnapshotClass tells why a VolumeSnapshotClass cannot be used, "" if it can be.
func (in input) wrongSnapshotClass(name string) string {
	i := slices.IndexFunc(in.snapshots, func(s SnapshotClass) bool { return s.Name == name })
	if i < 0 {
		return fmt.Sprintf("VolumeSnapshotClass %s, which does not exist", name)
	}
	if have, want := in.snapshots[i].Driver, driver(in.class.Provisioner); have != want {
		return fmt.Sprintf("VolumeSnapshotClass %s, which is of driver %s, not of %s", name, have, want)
	}
	return ""
}

// annotations returns those that a profile of a provisioner has.
func (in input) annotations(row provisioner) map[string]string {
	wanted := map[string]string{}
	if row.smallest != "" {
		wanted[AnnMinimumSize] = row.smallest
	}
	if row.images.key == "" {
		return wanted
	}
	wanted[AnnImportReadWriteOnce] = yes
	for _, s := range in.ofDriver() {
		if row.images.holds(s.Parameters) {
			wanted[AnnImportSnapshotClass] = s.Name
			break
		}
	}
	return wanted
}

// imagesNote tells what is wrong with the VolumeSnapshotClass for imports. Since annotations are
// never changed, it may be one that was there when it was written.
func (in input) imagesNote() string {
	name := in.profile.Annotations[AnnImportSnapshotClass]
	if name == "" {
		return ""
	}
	if problem := in.wrongSnapshotClass(name); problem != "" {
		return fmt.Sprintf("Annotation %s of this profile names %s: remove it to have one chosen", AnnImportSnapshotClass, problem)
	}
	return ""
}
