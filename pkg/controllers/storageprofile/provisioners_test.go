// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package storageprofile

import (
	"bytes"
	"cmp"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"text/tabwriter"

	gocmp "github.com/google/go-cmp/cmp"

	storagev1 "k8s.io/api/storage/v1"
	"k8s.io/apimachinery/pkg/api/resource"
)

var update = flag.Bool("update", false, "write the golden files anew")

// short returns sets as kubectl shows them.
func short(sets []set) string {
	var words []string
	for _, s := range sets {
		words = append(words, strings.NewReplacer("ReadWriteMany ", "RWX/", "ReadWriteOnce ", "RWO/", "ReadOnlyMany ", "ROX/").Replace(string(s)))
	}
	return cmp.Or(strings.Join(words, " "), "none")
}

func TestTableIsWhatAReviewerRead(t *testing.T) {
	var text bytes.Buffer
	table := tabwriter.NewWriter(&text, 0, 0, 3, ' ', 0)
	lines := []string{"PROVISIONER\tPARAMETERS\tCLAIMS, BEST FIRST\tCLONE\tIMPORTS\tSMALLEST"}
	for _, row := range provisioners() {
		imports := "pvc"
		if row.snapshots {
			imports = "snapshot"
		}
		if row.images.key != "" {
			imports += " (class with " + row.images.key + "=" + row.images.like + ")"
		}
		var when []string
		for _, p := range row.when {
			when = append(when, p.key+"="+p.like)
		}
		for _, name := range row.names {
			lines = append(lines, strings.Join([]string{
				name, cmp.Or(strings.Join(when, " "), "-"), short(row.can), cmp.Or(string(row.clone), "-"), imports, cmp.Or(row.smallest, "-"),
			}, "\t"))
		}
	}
	if _, err := fmt.Fprintln(table, strings.Join(lines, "\n")); err != nil {
		t.Fatal(err)
	}
	if err := table.Flush(); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join("testdata", "provisioners.txt")
	if *update {
		if err := os.WriteFile(file, text.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := gocmp.Diff(string(want), text.String()); diff != "" {
		t.Errorf("table (-want +got); go test -update writes it anew:\n%s", diff)
	}
}

// TestEachRowCanBeFound has the class that each row describes lead to that row, so that none
// stands behind another that takes its classes.
func TestEachRowCanBeFound(t *testing.T) {
	rows := provisioners()
	for i, row := range rows {
		for _, name := range row.names {
			class := &storagev1.StorageClass{Provisioner: strings.ReplaceAll(name, "*", "some"), Parameters: map[string]string{}}
			for _, p := range row.when {
				class.Parameters[p.key] += strings.ReplaceAll(p.like, "*", "some")
			}
			found, _ := find(rows, class)
			if found != &rows[i] {
				t.Errorf("row %d: the class %s %v leads to %+v", i, class.Provisioner, class.Parameters, found)
			}
		}
	}
}

func TestRowsAreValid(t *testing.T) {
	for i, row := range provisioners() {
		if len(row.can) > 8 {
			t.Errorf("row %d: a profile has at most 8 sets", i)
		}
		if sorted := slices.Sorted(slices.Values(row.can)); len(slices.Compact(sorted)) != len(row.can) {
			t.Errorf("row %d: a set is there twice: %v", i, row.can)
		}
		if row.smallest != "" {
			if _, err := resource.ParseQuantity(row.smallest); err != nil {
				t.Errorf("row %d: %v", i, err)
			}
		}
	}
}

func TestDriversThatWereBuiltIntoKubernetes(t *testing.T) {
	want := map[string]string{
		"aws-ebs": "ebs.csi.aws.com", "azure-disk": "disk.csi.azure.com", "azure-file": "file.csi.azure.com", "cinder": "cinder.csi.openstack.org",
		"gce-pd": "pd.csi.storage.gke.io", "portworx-volume": "pxd.portworx.com", "vsphere-volume": "csi.vsphere.vmware.com",
		"no-provisioner": noProvisioner,
	}
	got := map[string]string{}
	for name := range want {
		got[name] = driver("kubernetes.io/" + name)
		if row, _ := find(provisioners(), &storagev1.StorageClass{Provisioner: got[name]}); row == nil && got[name] != noProvisioner {
			t.Errorf("%s is not in the table", got[name])
		}
	}
	if diff := gocmp.Diff(want, got); diff != "" {
		t.Errorf("drivers (-want +got):\n%s", diff)
	}
}

func TestFind(t *testing.T) {
	for name, test := range map[string]struct {
		provisioner string
		parameters  map[string]string
		can         string
		keys        []string
	}{
		"a driver that is named after its operator's namespace": {
			provisioner: "storage.rbd.csi.ceph.com", can: "RWX/Block RWO/Block RWO/Filesystem",
		},
		"one that only ends alike":                    {provisioner: "notrbd.csi.ceph.com.example", can: "none"},
		"one that was built into Kubernetes":          {provisioner: "kubernetes.io/vsphere-volume", can: "RWO/Block RWO/Filesystem"},
		"upper and lower case of a value":             {provisioner: "csi-powerstore.dellemc.com", parameters: map[string]string{paramFSType: "NFS"}, can: "RWX/Filesystem RWO/Filesystem ROX/Filesystem"},
		"a disk that no other node may attach":        {provisioner: "disk.csi.azure.com", parameters: map[string]string{"maxShares": "1"}, can: "RWO/Block RWO/Filesystem"},
		"a disk that others may attach":               {provisioner: "disk.csi.azure.com", parameters: map[string]string{"maxShares": "3"}, can: "RWX/Block RWO/Block RWO/Filesystem"},
		"all options of a mount, in any order":        {provisioner: "pxd.portworx.com", parameters: map[string]string{paramShared: "nolock,vers=3.0"}, can: "RWX/Filesystem RWO/Filesystem"},
		"some of the options":                         {provisioner: "pxd.portworx.com", parameters: map[string]string{paramShared: "vers=3.0"}, can: "RWX/Block RWX/Filesystem RWO/Block RWO/Filesystem"},
		"a backend that could be any":                 {provisioner: "csi.trident.netapp.io", can: "none", keys: []string{"backendType", "selector"}},
		"a backend that is not in the table":          {provisioner: "csi.trident.netapp.io", parameters: map[string]string{paramBackend: "new"}, can: "none", keys: []string{"backendType", "selector"}},
		"the CSI provisioner of the local cluster":    {provisioner: "csi.golden-image.test", can: "none"},
		"the plain provisioner of the local cluster":  {provisioner: "golden-image.test/plain-hostpath", can: "none"},
		"one that makes buckets":                      {provisioner: "rook-ceph.ceph.rook.io/bucket", can: "none"},
		"a volume that several nodes may migrate to":  {provisioner: "driver.longhorn.io", parameters: map[string]string{"migratable": "true", "fsType": "ext4"}, can: "RWX/Block RWO/Block"},
		"a parameter that is there but of no meaning": {provisioner: "driver.longhorn.io", parameters: map[string]string{"migratable": "false"}, can: "RWO/Block RWO/Filesystem"},
	} {
		t.Run(name, func(t *testing.T) {
			row, keys := find(provisioners(), &storagev1.StorageClass{Provisioner: test.provisioner, Parameters: test.parameters})
			if row == nil {
				row = &provisioner{}
			}
			if diff := gocmp.Diff(test.can, short(row.can)); diff != "" {
				t.Errorf("sets (-want +got):\n%s", diff)
			}
			if diff := gocmp.Diff(test.keys, keys); diff != "" {
				t.Errorf("parameters (-want +got):\n%s", diff)
			}
		})
	}
}

func TestLike(t *testing.T) {
	for name, test := range map[string]struct {
		pattern, value string
		want           bool
	}{
		"the same":                     {"a", "a", true},
		"another":                      {"a", "ab", false},
		"nothing is like no pattern":   {"", "", true},
		"begins so":                    {"a*", "ab", true},
		"ends so":                      {"*b", "ab", true},
		"begins otherwise":             {"b*", "ab", false},
		"ends otherwise":               {"*a", "ab", false},
		"has it in it":                 {"*b*", "abc", true},
		"does not have it":             {"*d*", "abc", false},
		"anything":                     {"*", "x", true},
		"anything is not nothing":      {"*", "", false},
		"a star may stand for nothing": {"a*", "a", true},
	} {
		t.Run(name, func(t *testing.T) {
			if got := like(test.pattern, test.value); got != test.want {
				t.Errorf("like(%q, %q) = %v", test.pattern, test.value, got)
			}
		})
	}
}
