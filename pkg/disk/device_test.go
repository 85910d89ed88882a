// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package disk

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// loopDevice makes a block device that is full of old data.
func loopDevice(t *testing.T, size int) string {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("a block device can be made by root alone")
	}
	backing := filepath.Join(t.TempDir(), "device")
	if err := os.WriteFile(backing, bytes.Repeat([]byte("old!"), size/4), 0o600); err != nil {
		t.Fatal(err)
	}
	return attach(t, backing)
}

// attach makes a block device of a file.
func attach(t *testing.T, backing string) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "losetup", "--find", "--show", backing).Output()
	if err != nil {
		t.Skipf("this machine has no loop devices: %v", err)
	}
	device := strings.TrimSpace(string(out))
	t.Cleanup(func() {
		if out, err := exec.Command("losetup", "--detach", device).CombinedOutput(); err != nil { //nolint:noctx // t.Context has ended
			t.Errorf("%v: %s", err, out)
		}
	})
	return device
}

func TestWriteToADevice(t *testing.T) {
	want := sampleDisk()
	for name, image := range images(t) {
		for how, source := range map[string]Source{
			"a stream": {Stream: bytes.NewReader(image.content), Size: int64(len(image.content))},
			"a file":   {File: fileOf(t, image.content)},
		} {
			t.Run(name+" from "+how, func(t *testing.T) {
				device, temp := loopDevice(t, 16*mib), t.TempDir()
				info, err := New(Config{TempDir: temp}).Write(t.Context(), source, Target{Path: device, Block: true})
				if err != nil {
					t.Fatal(err)
				}
				if info.VirtualSize != int64(len(want)) {
					t.Errorf("virtual size %d", info.VirtualSize)
				}
				checkDevice(t, device, want)
				checkOnly(t, temp)
			})
		}
	}
}

func checkDevice(t *testing.T, device string, want []byte) {
	t.Helper()
	got, err := os.ReadFile(device)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got[:len(want)], want) {
		t.Error("the device has other bytes")
	}
	if rest := got[len(want):]; !bytes.Equal(rest, bytes.Repeat([]byte("old!"), len(rest)/4)) {
		t.Error("something was written behind the disk")
	}
}

func TestCloneBetweenFilesAndDevices(t *testing.T) {
	want := sampleDisk()
	device := loopDevice(t, len(want))
	if err := os.WriteFile(device, want, 0o600); err != nil {
		t.Fatal(err)
	}
	source, err := os.Open(device)
	if err != nil {
		t.Fatal(err)
	}
	defer source.Close() //nolint:errcheck // it reads only
	t.Run("device to file", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "disk.img")
		if _, err := New(Config{}).Write(t.Context(), Source{File: source, Raw: true}, Target{Path: path}); err != nil {
			t.Fatal(err)
		}
		checkDisk(t, path, want, int64(len(want)))
	})
	t.Run("device to device", func(t *testing.T) {
		other := loopDevice(t, 16*mib)
		if _, err := New(Config{}).Write(t.Context(), Source{File: source, Raw: true}, Target{Path: other, Block: true}); err != nil {
			t.Fatal(err)
		}
		checkDevice(t, other, want)
	})
	t.Run("file to device", func(t *testing.T) {
		sparse := fileWithHoles(t, want)
		other := loopDevice(t, 16*mib)
		if _, err := New(Config{}).Write(t.Context(), Source{File: sparse, Raw: true}, Target{Path: other, Block: true, SizeBytes: 8 * mib}); err != nil {
			t.Fatal(err)
		}
		checkDevice(t, other, want)
	})
	t.Run("file to file", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "disk.img")
		if _, err := New(Config{}).Write(t.Context(), Source{File: fileWithHoles(t, want), Raw: true}, Target{Path: path}); err != nil {
			t.Fatal(err)
		}
		checkDisk(t, path, want, int64(len(want)))
	})
	t.Run("a device that is too small", func(t *testing.T) {
		_, err := New(Config{}).Write(t.Context(), Source{File: source, Raw: true}, Target{Path: loopDevice(t, 8*mib), Block: true})
		checkError(t, err, TooLarge, "reported available storage 8388608")
	})
}

// fileWithHoles writes a disk by the Engine, which leaves holes.
func fileWithHoles(t *testing.T, content []byte) *os.File {
	t.Helper()
	path := filepath.Join(t.TempDir(), "sparse")
	if _, err := New(Config{}).Write(t.Context(), Source{Stream: bytes.NewReader(content)}, Target{Path: path}); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() }) //nolint:errcheck // it reads only
	return f
}

func TestCloneSharesBlocksWhereTheFileSystemCan(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("a file system can be mounted by root alone")
	}
	dir := t.TempDir()
	backing := filepath.Join(dir, "xfs")
	if err := errors.Join(os.WriteFile(backing, nil, 0o600), os.Truncate(backing, 512*mib)); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.CommandContext(t.Context(), "mkfs.xfs", "-q", "-m", "reflink=1", backing).CombinedOutput(); err != nil {
		t.Skipf("this machine makes no XFS: %v: %s", err, out)
	}
	device, volume := attach(t, backing), filepath.Join(dir, "volume")
	if err := os.Mkdir(volume, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := unix.Mount(device, volume, "xfs", 0, ""); err != nil {
		t.Skipf("this machine mounts no XFS: %v", err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(volume, 0); err != nil {
			t.Error(err)
		}
	})
	want := bytes.Repeat(sampleDisk()[:2*mib], 16)
	source := filepath.Join(volume, "source")
	if err := os.WriteFile(source, want, 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(source)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close() //nolint:errcheck // it reads only
	if err := f.Sync(); err != nil {
		t.Fatal(err)
	}
	before := freeBytes(t, volume)
	target := Target{Path: filepath.Join(volume, "disk.img"), SizeBytes: 64 * mib}
	if _, err := New(Config{}).Write(t.Context(), Source{File: f, Raw: true}, target); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(target.Path)
	if err != nil || len(got) != 64*mib || !bytes.Equal(got[:len(want)], want) {
		t.Errorf("%d bytes, or other ones, %v", len(got), err)
	}
	if used := before - freeBytes(t, volume); used > 4*mib {
		t.Errorf("the clone takes %d bytes", used)
	}
}

func freeBytes(t *testing.T, dir string) int64 {
	t.Helper()
	var fs unix.Statfs_t
	if err := unix.Statfs(dir, &fs); err != nil {
		t.Fatal(err)
	}
	return int64(fs.Bavail) * fs.Bsize
}

func TestWriteToAFullVolume(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("a small file system can be mounted by root alone")
	}
	dir := t.TempDir()
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "size=8m"); err != nil {
		t.Skipf("this machine lets nothing be mounted: %v", err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(dir, 0); err != nil {
			t.Error(err)
		}
	})
	dense := sampleDisk()[:2*mib]
	dense = bytes.Repeat(dense, 3)
	// The image and its disk do not fit together.
	_, err := New(Config{}).Write(t.Context(), Source{Stream: bytes.NewReader(imageOf(t, dense, "vmdk"))}, Target{Path: filepath.Join(dir, "disk.img")})
	checkError(t, err, TooLarge, "no space left")
	checkOnly(t, dir)
	// A qcow2 image needs no place of its own.
	if _, err := New(Config{}).Write(t.Context(), Source{Stream: bytes.NewReader(imageOf(t, dense, "qcow2"))}, Target{Path: filepath.Join(dir, "disk.img")}); err != nil {
		t.Fatal(err)
	}
	// A disk that is larger than the volume is refused before anything is written.
	_, err = New(Config{}).Write(t.Context(), Source{Stream: bytes.NewReader(sampleDisk()), Size: 12 * mib}, Target{Path: filepath.Join(dir, "disk.img"), SizeBytes: 16 * mib})
	checkError(t, err, TooLarge, "virtual image size 12582912")
	// What is asked for is cut to what there is.
	if _, err := New(Config{}).Write(t.Context(), Source{Stream: bytes.NewReader(make([]byte, mib))}, Target{Path: filepath.Join(dir, "disk.img"), SizeBytes: 16 * mib}); err != nil {
		t.Fatal(err)
	}
	stat, err := os.Stat(filepath.Join(dir, "disk.img"))
	if err != nil || stat.Size() > 8*mib || stat.Size() < 7*mib {
		t.Errorf("the disk has %d bytes, %v", stat.Size(), err)
	}
}
