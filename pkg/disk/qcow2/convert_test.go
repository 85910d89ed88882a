// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package qcow2

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"testing/iotest"
)

// memorySink is a disk in memory, which tells what was written twice or not at all.
type memorySink struct {
	mu   sync.Mutex
	disk []byte
	// told has how often each sector was written.
	told []byte
	zero int64
	err  error
}

const sector = 512

func newMemorySink(size int64) *memorySink {
	s := &memorySink{disk: bytes.Repeat([]byte{0xee}, int(roundUp(size, sector)))}
	s.told = make([]byte, len(s.disk)/sector)
	return s
}

func (s *memorySink) note(offset, length int64) error {
	if offset%sector != 0 || offset+length > int64(len(s.disk)) {
		return fmt.Errorf("%d bytes at %d are not of the disk", length, offset)
	}
	for i := offset / sector; i < (offset+length+sector-1)/sector; i++ {
		s.told[i]++
	}
	return s.err
}

func (s *memorySink) WriteAt(p []byte, offset int64) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.note(offset, int64(len(p))); err != nil {
		return 0, err
	}
	return copy(s.disk[offset:], p), nil
}

func (s *memorySink) Zero(offset, length int64) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.zero += length
	if err := s.note(offset, length); err != nil {
		return err
	}
	clear(s.disk[offset : offset+length])
	return nil
}

// check compares the disk.
func (s *memorySink) check(t *testing.T, want []byte) {
	t.Helper()
	for i, n := range s.told {
		if n != 1 {
			t.Fatalf("sector %d of %d was written %d times", i, len(s.told), n)
		}
	}
	if got := s.disk[:len(want)]; !bytes.Equal(got, want) {
		at := 0
		for got[at] == want[at] {
			at++
		}
		t.Fatalf("the disk differs from byte %d of %d on", at, len(want))
	}
}

func spillIn(t testing.TB, dir string) func() (Spill, error) {
	t.Helper()
	made := false
	return func() (Spill, error) {
		if made {
			return nil, errors.New("the spill is made twice")
		}
		made = true
		f, err := os.Create(filepath.Join(dir, "spill"))
		if err != nil {
			return nil, err
		}
		t.Cleanup(func() { f.Close() }) //nolint:errcheck // it goes with its folder
		return f, nil
	}
}

func noSpill() (Spill, error) { return nil, errors.New("a spill is needed") }

func qemuImg(t testing.TB, arguments ...string) {
	t.Helper()
	if out, err := exec.CommandContext(t.Context(), "qemu-img", arguments...).CombinedOutput(); err != nil {
		t.Fatalf("qemu-img %q (Debian's package qemu-utils): %v: %s", arguments, err, out)
	}
}

// byQEMU returns the disk of an image as qemu-img converts it.
func byQEMU(t testing.TB, image []byte) []byte {
	t.Helper()
	dir := t.TempDir()
	in, out := filepath.Join(dir, "in"), filepath.Join(dir, "out")
	if err := os.WriteFile(in, image, 0o600); err != nil {
		t.Fatal(err)
	}
	qemuImg(t, "convert", "-f", "qcow2", "-O", "raw", in, out)
	disk, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	return disk
}

func variants() map[string]variant {
	all := map[string]variant{}
	for bits := leastClusterBits; bits <= mostClusterBits; bits++ {
		for o := range orders {
			for kind := range 5 {
				v := variant{bits: bits, version: 3, order: o, seed: uint64(bits)<<16 | uint64(o)<<8 | uint64(kind), garbage: 10}
				name := ""
				switch kind {
				case 0:
					name = "plain"
				case 1:
					v.packed, name = 70, "zlib"
				case 2:
					v.packed, v.compression, name = 100, Zstd, "zstd"
				case 3:
					v.version, v.packed, name = 2, 20, "version 2"
				case 4:
					v.extended, v.packed, name = true, 20, "extended"
					if bits < leastExtendedBits {
						continue
					}
				}
				all[fmt.Sprintf("%s, clusters of %d, %s", name, 1<<bits, [...]string{"as written", "tables first", "tables last", "first table last", "shuffled"}[o])] = v
			}
		}
	}
	return all
}

func TestImagesOfAnyLayout(t *testing.T) {
	for name, v := range variants() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			random := rand.New(rand.NewPCG(v.seed, 2)) //nolint:gosec // a test's
			size := max(1<<18, 3<<v.bits) + random.IntN(1<<17)
			disk := randomDisk(random, size/sector*sector)
			image := write(t, v, disk)
			if got := byQEMU(t, image); !bytes.Equal(got, disk) {
				t.Fatal("qemu-img reads something else: the test's image is wrong")
			}
			sink := newMemorySink(int64(len(disk)))
			stats, err := Convert(t.Context(), iotest.DataErrReader(bytes.NewReader(image)), sink, Config{Spill: spillIn(t, t.TempDir())})
			if err != nil {
				t.Fatal(err)
			}
			sink.check(t, disk)
			if stats.Spilled > int64(len(image)) {
				t.Errorf("%d bytes are spilled of an image of %d", stats.Spilled, len(image))
			}
		})
	}
}

// TestImagesOfQEMU are as users have them. None but those that were changed later needs a spill.
func TestImagesOfQEMU(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4)) //nolint:gosec // a test's
	disk := randomDisk(random, 40<<20)
	clear(disk[10<<20 : 20<<20])
	dir := t.TempDir()
	raw := filepath.Join(dir, "raw")
	if err := os.WriteFile(raw, disk, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		options []string
		change  [][]string
		spills  bool
	}{
		"as it comes":            {},
		"compressed":             {options: []string{"-c"}},
		"compressed with zstd":   {options: []string{"-c", "-o", "compression_type=zstd"}},
		"by many at a time":      {options: []string{"-c", "-W", "-m", "16"}},
		"version 2":              {options: []string{"-o", "compat=0.10"}},
		"small clusters":         {options: []string{"-o", "cluster_size=512"}},
		"small packed clusters":  {options: []string{"-c", "-o", "cluster_size=4k"}},
		"large clusters":         {options: []string{"-o", "cluster_size=2M"}},
		"large packed clusters":  {options: []string{"-c", "-o", "cluster_size=2M"}},
		"extended tables":        {options: []string{"-o", "extended_l2=on"}},
		"extended large tables":  {options: []string{"-o", "extended_l2=on,cluster_size=2M"}, spills: true},
		"all space set aside":    {options: []string{"-o", "preallocation=metadata"}},
		"lazy refcounts":         {options: []string{"-o", "lazy_refcounts=on"}},
		"refcounts of a bit":     {options: []string{"-o", "refcount_bits=1"}},
		"a snapshot":             {change: [][]string{{"snapshot", "-c", "one", "IMAGE"}}},
		"a bitmap":               {change: [][]string{{"bitmap", "--add", "IMAGE", "one"}}},
		"made of the other kind": {change: [][]string{{"amend", "-o", "compat=0.10", "IMAGE"}, {"amend", "-o", "compat=1.1", "IMAGE"}}},
		// Its first table is made anew, behind everything.
		"made larger": {change: [][]string{{"resize", "IMAGE", "6G"}}, spills: true},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "image")
			qemuImg(t, append(append([]string{"convert", "-f", "raw", "-O", "qcow2"}, test.options...), raw, path)...)
			for _, change := range test.change {
				arguments := append([]string(nil), change...)
				for i := range arguments {
					if arguments[i] == "IMAGE" {
						arguments[i] = path
					}
				}
				qemuImg(t, arguments...)
			}
			image, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			spill := noSpill
			if test.spills {
				spill = spillIn(t, t.TempDir())
			}
			header, err := ParseHeader(image)
			if err != nil {
				t.Fatal(err)
			}
			if header.Size > int64(len(disk)) {
				// It is not held in memory.
				if _, err := Convert(t.Context(), bytes.NewReader(image), discard{}, Config{Spill: spill}); err != nil {
					t.Fatal(err)
				}
				return
			}
			sink := newMemorySink(header.Size)
			if _, err := Convert(t.Context(), bytes.NewReader(image), sink, Config{Spill: spill}); err != nil {
				t.Fatal(err)
			}
			sink.check(t, disk)
		})
	}
}

type discard struct{}

func (discard) WriteAt(p []byte, _ int64) (int, error) { return len(p), nil }
func (discard) Zero(int64, int64) error                { return nil }

func TestFailuresEndAConversion(t *testing.T) {
	disk := randomDisk(rand.New(rand.NewPCG(5, 6)), 8<<20) //nolint:gosec // a test's
	image := write(t, variant{bits: 16, version: 3, packed: 30, order: asWritten, seed: 7}, disk)
	broken := errors.New("broken")
	for name, test := range map[string]struct {
		image io.Reader
		sink  error
		want  error
	}{
		"the stream breaks":             {image: io.MultiReader(bytes.NewReader(image[:3<<20]), iotest.ErrReader(broken)), want: broken},
		"the stream breaks at its end":  {image: io.MultiReader(bytes.NewReader(image), iotest.ErrReader(broken)), want: broken},
		"the stream breaks at its head": {image: iotest.ErrReader(broken), want: broken},
		"the disk cannot be written":    {image: bytes.NewReader(image), sink: broken, want: broken},
	} {
		t.Run(name, func(t *testing.T) {
			sink := newMemorySink(int64(len(disk)))
			sink.err = test.sink
			if _, err := Convert(t.Context(), test.image, sink, Config{Spill: spillIn(t, t.TempDir())}); !errors.Is(err, test.want) {
				t.Errorf("got %v", err)
			}
		})
	}
}

// TestWhatIsSpilled bounds what is kept until a table comes, by what the tables before do not name.
func TestWhatIsSpilled(t *testing.T) {
	disk := randomDisk(rand.New(rand.NewPCG(8, 9)), 14<<20) //nolint:gosec // a test's
	for name, test := range map[string]struct {
		variant
		least, most float64
	}{
		"as written, with nothing between": {variant{order: asWritten}, 0, 0},
		"as written, and compressed":       {variant{order: asWritten, packed: 100}, 0, 0},
		"tables first":                     {variant{order: tablesFirst, garbage: 50}, 0, 0},
		"tables last":                      {variant{order: tablesLast}, 0.1, 1},
		"the first table last":             {variant{order: firstTableLast}, 0.1, 1},
		"as written, with junk between":    {variant{order: asWritten, garbage: 50}, 0.2, 0.4},
	} {
		t.Run(name, func(t *testing.T) {
			v := test.variant
			// Many tables, so that one of them is always to come.
			v.bits, v.version, v.seed = 12, 3, 10
			image := write(t, v, disk)
			sink := newMemorySink(int64(len(disk)))
			stats, err := Convert(t.Context(), bytes.NewReader(image), sink, Config{Spill: spillIn(t, t.TempDir())})
			if err != nil {
				t.Fatal(err)
			}
			sink.check(t, disk)
			if share := float64(stats.Spilled) / float64(len(image)); share < test.least || share > test.most {
				t.Errorf("%d of %d bytes are spilled, not %v to %v", stats.Spilled, len(image), test.least, test.most)
			}
		})
	}
}
