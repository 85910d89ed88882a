// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package storageprofile

import (
	"slices"

	"goldenimage.dev/pkg/apis/cdi/v1beta1"
)

// A set is an access mode and a volume mode that go together.
type set string

const (
	rwxBlock set = "ReadWriteMany Block"
	rwxFile  set = "ReadWriteMany Filesystem"
	rwoBlock set = "ReadWriteOnce Block"
	rwoFile  set = "ReadWriteOnce Filesystem"
	roxBlock set = "ReadOnlyMany Block"
	roxFile  set = "ReadOnlyMany Filesystem"
)

const (
	hostCopy = v1beta1.CloneStrategyHostAssisted
	csiClone = v1beta1.CloneStrategyCsiClone
	snapshot = v1beta1.CloneStrategySnapshot
)

// Parameters of StorageClasses that tell storage apart.
const (
	paramFSType   = "csi.storage.k8s.io/fstype"
	paramType     = "type"
	paramProtocol = "protocol"
	paramBackend  = "backendType"
	paramPure     = "backend"
	paramShared   = "sharedv4_mount_options"
	paramInfinity = "storage_protocol"
	paramNutanix  = "storageType"
)

// Sizes of the smallest volumes.
const (
	oneGi  = "1Gi"
	fourGi = "4Gi"
)

// A provisioner is a row of the table: storage whose abilities are known.
type provisioner struct {
	// names that a StorageClass may call it, as patterns.
	names []string
	// when, if not empty, all hold for the parameters of the class. Of several rows of a name
	// the first that fits counts.
	when []parameter
	// can are the sets that claims can have, the best for virtual machines first; none if it
	// makes no volumes that could hold a disk.
	can []set
	// clone is how volumes are best cloned; empty for by snapshot if there is a
	// VolumeSnapshotClass, by copying if not.
	clone v1beta1.CDICloneStrategy
	// snapshots keeps imports as snapshots, if there is a VolumeSnapshotClass.
	snapshots bool
	// smallest is the size of the smallest volume, if requests for less fail.
	smallest string
	// images, if it has a key, is the parameter of the VolumeSnapshotClass that imports shall
	// be kept with. They are made ReadWriteOnce then: such storage takes no image of a volume
	// that many may write.
	images parameter
}

// A parameter holds if the value of key is like the pattern, upper and lower case being the
// same.
type parameter struct{ key, like string }

// provisioners is the table. The order of rows counts for those of the same name only. What is
// in it is what the makers of the drivers document, and what CDI's users know; CDI decides where
// several answers would do.
func provisioners() []provisioner {
	return slices.Concat(localProvisioners(), networkProvisioners(), portworx(), platformProvisioners(),
		arrayProvisioners(), dellArrays(), netApp(), cloudProvisioners(), bigClouds(), unsupported())
}

// localProvisioners have volumes on one node.
func localProvisioners() []provisioner {
	return []provisioner{
		{names: []string{"kubevirt.io.hostpath-provisioner", "kubevirt.io/hostpath-provisioner"}, can: []set{rwoFile}},
		{names: []string{"k8s.io/minikube-hostpath", "docker.io/hostpath", "microk8s.io/hostpath", "rancher.io/local-path", "openebs.io/local"}, can: []set{rwoFile}},
		{names: []string{"directpv-min-io"}, can: []set{rwoFile}},
		{names: []string{"hostpath.csi.k8s.io"}, can: []set{rwoFile, rwoBlock}},
		// What LVM restores from a snapshot has to fit on the node of the source.
		{names: []string{"topolvm.io", "topolvm.cybozu.com"}, can: []set{rwoBlock, rwoFile}, clone: hostCopy},
		{names: []string{"local.csi.openebs.io"}, can: []set{rwoBlock, rwoFile}, clone: hostCopy},
		{names: []string{"zfs.csi.openebs.io"}, can: []set{rwoBlock, rwoFile}},
	}
}

// networkProvisioners are storage that is made of software.
func networkProvisioners() []provisioner {
	const longhorn, mayastor = "driver.longhorn.io", "io.openebs.csi-mayastor"
	return []provisioner{
		// Ceph's drivers are named after the namespace of their operator, if they have one. CDI
		// keeps imports on those without one as claims; a change would import them again.
		{names: []string{"rbd.csi.ceph.com"}, can: []set{rwxBlock, rwoBlock, rwoFile}, clone: csiClone},
		{names: []string{"*.rbd.csi.ceph.com"}, can: []set{rwxBlock, rwoBlock, rwoFile}, clone: csiClone, snapshots: true},
		{names: []string{"cephfs.csi.ceph.com", "*.cephfs.csi.ceph.com"}, can: []set{rwxFile, rwoFile}, clone: csiClone},
		{names: []string{"nfs.csi.ceph.com", "*.nfs.csi.ceph.com"}, can: []set{rwxFile, rwoFile}},
		{names: []string{"linstor.csi.linbit.com"}, can: []set{rwxBlock, rwoBlock, rwoFile, roxBlock, roxFile}},
		{names: []string{longhorn}, when: []parameter{{"migratable", yes}}, can: []set{rwxBlock, rwoBlock}},
		{names: []string{longhorn}, when: []parameter{{"nfsOptions", "*"}}, can: []set{rwxFile, rwoFile}},
		{names: []string{longhorn}, when: []parameter{{"fsType", "*"}}, can: []set{rwoFile}},
		{names: []string{longhorn}, can: []set{rwoBlock, rwoFile}},
		{names: []string{mayastor}, when: []parameter{{"rwxBlock", yes}}, can: []set{rwxBlock, rwoBlock, rwoFile}},
		{names: []string{mayastor}, can: []set{rwoBlock, rwoFile}},
		{names: []string{"kubesan.gitlab.io"}, can: []set{rwxBlock, roxBlock, rwoBlock, rwoFile}, clone: csiClone},
		{names: []string{"nfs.csi.k8s.io", "smb.csi.k8s.io", "k8s-sigs.io/nfs-subdir-external-provisioner"}, can: []set{rwxFile, rwoFile}},
		{names: []string{"beegfs.csi.netapp.com", "csi.weka.io", "csi.vastdata.com"}, can: []set{rwxFile, rwoFile}},
	}
}

func portworx() []provisioner {
	names := []string{"pxd.portworx.com"}
	return []provisioner{
		{names: names, when: []parameter{{paramPure, "pure_block"}}, can: []set{rwxBlock, rwoBlock, rwoFile}},
		{names: names, when: []parameter{{paramPure, "pure_fa_file"}}, can: []set{rwxFile, rwoFile}},
		{names: names, when: []parameter{{paramShared, "*vers=3.0*"}, {paramShared, "*nolock*"}}, can: []set{rwxFile, rwoFile}, clone: csiClone},
		{names: names, can: []set{rwxBlock, rwxFile, rwoBlock, rwoFile}, clone: csiClone},
	}
}

// platformProvisioners are storage of a platform that runs virtual machines itself.
func platformProvisioners() []provisioner {
	const vsphere, nutanix = "csi.vsphere.vmware.com", "csi.nutanix.com"
	return []provisioner{
		{names: []string{vsphere}, when: []parameter{{paramFSType, "*nfs*"}}, can: []set{rwxFile}},
		{names: []string{vsphere}, can: []set{rwoBlock, rwoFile}},
		{names: []string{nutanix}, when: []parameter{{paramNutanix, "NutanixVolumes"}}, can: []set{rwoBlock, rwoFile}},
		{names: []string{nutanix}, when: []parameter{{paramNutanix, "NutanixFiles"}}, can: []set{rwxFile, rwoFile}},
		{names: []string{"cinder.csi.openstack.org"}, can: []set{rwoBlock, rwoFile}},
		{names: []string{"manila.csi.openstack.org"}, can: []set{rwxFile, rwoFile}},
		{names: []string{"csi.ovirt.org"}, can: []set{rwoBlock, rwoFile}},
	}
}

// arrayProvisioners are disk arrays.
func arrayProvisioners() []provisioner {
	const huawei, infinidat, pure, synology = "csi.huawei.com", "infinibox-csi-driver", "pure-csi", "csi.san.synology.com"
	return []provisioner{
		{names: []string{"hspc.csi.hitachi.com"}, can: []set{rwxBlock, rwoBlock, rwoFile}, clone: csiClone},
		{names: []string{"csi.hpe.com"}, can: []set{rwxBlock, rwoBlock, rwoFile}, clone: csiClone},
		{names: []string{huawei}, when: []parameter{{paramProtocol, "nfs"}}, can: []set{rwxFile, rwoFile, roxFile}},
		{names: []string{huawei}, can: []set{rwxBlock, rwoBlock, rwoFile, roxBlock, roxFile}},
		{names: []string{"block.csi.ibm.com"}, can: []set{rwxBlock, rwoBlock, rwoFile}, clone: csiClone},
		{names: []string{"spectrumscale.csi.ibm.com"}, can: []set{rwxFile, rwoFile}, clone: csiClone},
		{names: []string{infinidat}, when: []parameter{{paramInfinity, "iscsi"}}, can: []set{rwxBlock, rwoBlock, rwoFile}, clone: csiClone},
		{names: []string{infinidat}, when: []parameter{{paramInfinity, "fc"}}, can: []set{rwxBlock, rwoBlock, rwoFile}, clone: csiClone},
		{names: []string{infinidat}, when: []parameter{{paramInfinity, "nvme"}}, can: []set{rwxBlock, rwoBlock, rwoFile}, clone: csiClone},
		{names: []string{infinidat}, when: []parameter{{paramInfinity, "nfs*"}}, can: []set{rwxFile, rwoFile}, clone: csiClone},
		{names: []string{pure}, when: []parameter{{paramPure, "block"}}, can: []set{rwoBlock, rwoFile}},
		{names: []string{pure}, when: []parameter{{paramPure, "file"}}, can: []set{rwxFile, rwoFile}},
		{names: []string{synology}, when: []parameter{{paramProtocol, "iscsi"}}, can: []set{rwxBlock, rwoBlock, rwoFile}, clone: csiClone, smallest: oneGi},
		{names: []string{synology}, when: []parameter{{paramProtocol, "nfs"}}, can: []set{rwxFile, rwoFile}, clone: csiClone, smallest: oneGi},
		{names: []string{synology}, when: []parameter{{paramProtocol, "smb"}}, can: []set{rwxFile, rwoFile}, clone: csiClone, smallest: oneGi},
	}
}

func dellArrays() []provisioner {
	const flex, powermax, powerstore, unity = "csi-vxflexos.dellemc.com", "csi-powermax.dellemc.com", "csi-powerstore.dellemc.com", "csi-unity.dellemc.com"
	return []provisioner{
		{names: []string{"csi-isilon.dellemc.com"}, can: []set{rwxFile, rwoFile, roxFile}, clone: csiClone},
		{names: []string{flex, powermax, powerstore}, when: []parameter{{paramFSType, "nfs"}}, can: []set{rwxFile, rwoFile, roxFile}},
		{names: []string{flex}, can: []set{rwxBlock, rwoBlock, rwoFile, roxBlock, roxFile}, clone: csiClone},
		{names: []string{powermax}, can: []set{rwxBlock, rwoBlock, rwoFile, roxBlock}, clone: csiClone},
		{names: []string{powerstore}, can: []set{rwxBlock, rwoBlock, rwoFile, roxBlock}, clone: hostCopy},
		{names: []string{unity}, when: []parameter{{paramProtocol, "nfs"}}, can: []set{rwxFile, rwoFile, roxFile}},
		{names: []string{unity}, can: []set{rwxBlock, rwoBlock, rwoFile, roxBlock, roxFile}},
	}
}

// netApp is Trident. Without backendType a class takes whatever backend has room.
func netApp() []provisioner {
	names := []string{"csi.trident.netapp.io"}
	flex := []parameter{{paramBackend, "google-cloud-netapp-volumes"}, {"selector", "*performance=flex*"}}
	return []provisioner{
		{names: names, when: []parameter{{paramBackend, "ontap-nas*"}}, can: []set{rwxFile, rwoFile}, clone: snapshot, snapshots: true},
		{names: names, when: []parameter{{paramBackend, "ontap-san*"}}, can: []set{rwxBlock, rwoBlock, rwoFile}, clone: snapshot, snapshots: true},
		{names: names, when: flex, can: []set{rwxFile, rwoFile}, clone: snapshot, snapshots: true, smallest: oneGi},
	}
}

func cloudProvisioners() []provisioner {
	return []provisioner{
		{names: []string{"blockvolume.csi.oraclecloud.com"}, can: []set{rwxBlock, rwoBlock, rwoFile}},
		{names: []string{"vpc.block.csi.ibm.io"}, can: []set{rwoBlock, rwoFile}},
		{names: []string{"vpc.file.csi.ibm.io"}, can: []set{rwxFile, rwoFile}, clone: snapshot, snapshots: true, smallest: "10Gi"},
		{names: []string{"diskplugin.csi.alibabacloud.com", "dobs.csi.digitalocean.com", "csi.hetzner.cloud", "csi.scaleway.com"}, can: []set{rwoBlock, rwoFile}},
		{names: []string{"linodebs.csi.linode.com", "block.csi.vultr.com", "csi.cloudscale.ch"}, can: []set{rwoFile}},
	}
}

func bigClouds() []provisioner {
	const ebs, azureDisk, persistentDisk = "ebs.csi.aws.com", "disk.csi.azure.com", "pd.csi.storage.gke.io"
	images := parameter{"snapshot-type", "images"}
	hyperdisk := provisioner{
		names: []string{persistentDisk}, can: []set{rwxBlock, rwoBlock, rwoFile}, clone: snapshot, snapshots: true, smallest: fourGi, images: images,
	}
	balanced, available := hyperdisk, hyperdisk
	balanced.when = []parameter{{paramType, "hyperdisk-balanced"}}
	available.when = []parameter{{paramType, "hyperdisk-balanced-high-availability"}}
	return []provisioner{
		{names: []string{ebs}, when: []parameter{{paramType, "io2"}}, can: []set{rwxBlock, rwoBlock, rwoFile}, smallest: fourGi},
		{names: []string{ebs}, when: []parameter{{paramType, "io1"}}, can: []set{rwoBlock, rwoFile}, smallest: fourGi},
		{names: []string{ebs}, when: []parameter{{paramType, "gp*"}}, can: []set{rwoBlock, rwoFile}, smallest: oneGi},
		{names: []string{ebs}, can: []set{rwoBlock, rwoFile}},
		{names: []string{"efs.csi.aws.com"}, can: []set{rwxFile, rwoFile}},
		// A disk that one node may attach is not shared, though the class says how many may.
		{names: []string{azureDisk}, when: []parameter{{"maxShares", "1"}}, can: []set{rwoBlock, rwoFile}},
		{names: []string{azureDisk}, when: []parameter{{"maxShares", "*"}}, can: []set{rwxBlock, rwoBlock, rwoFile}},
		{names: []string{azureDisk}, can: []set{rwoBlock, rwoFile}},
		{names: []string{"file.csi.azure.com"}, can: []set{rwxFile, rwoFile}},
		balanced,
		available,
		{names: []string{persistentDisk}, can: []set{rwoBlock, rwoFile}, clone: snapshot, snapshots: true, images: images},
		{names: []string{"filestore.csi.storage.gke.io"}, can: []set{rwxFile, rwoFile}},
	}
}

// unsupported make buckets, or claims of snapshots.
func unsupported() []provisioner {
	return []provisioner{{names: []string{"openshift-storage.noobaa.io/obc", "*.ceph.rook.io/bucket", "stork-snapshot"}}}
}
