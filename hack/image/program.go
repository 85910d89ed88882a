// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"debug/elf"
	"errors"
	"fmt"
	"os"
	"path"
	"runtime"
	"strings"
)

// machines are the architectures that images are made for, by the ELF header's machine.
func machines() map[elf.Machine]string {
	return map[elf.Machine]string{elf.EM_X86_64: "amd64", elf.EM_AARCH64: "arm64", elf.EM_S390: "s390x", elf.EM_PPC64: "ppc64le", elf.EM_RISCV: "riscv64"}
}

// triplets are how Debian names the folders of an architecture's libraries.
func triplets() map[string]string {
	return map[string]string{
		"amd64": "x86_64-linux-gnu", "arm64": "aarch64-linux-gnu", "s390x": "s390x-linux-gnu",
		"ppc64le": "powerpc64le-linux-gnu", "riscv64": "riscv64-linux-gnu",
	}
}

// architectureOf returns the architecture of a binary, which must be static.
func architectureOf(binary string) (string, error) {
	f, err := elf.Open(binary)
	if err != nil {
		return "", fmt.Errorf("read %s: %w", binary, err)
	}
	defer f.Close() //nolint:errcheck // it reads only
	architecture, ok := machines()[f.Machine]
	if !ok {
		return "", fmt.Errorf("%s is for %s, which is not supported", binary, f.Machine)
	}
	if interpreter(f) != "" {
		return "", fmt.Errorf("%s is not static: build it with CGO_ENABLED=0", binary)
	}
	return architecture, nil
}

// addProgram adds a program and all shared libraries that it needs.
func addProgram(t tree, o options, program, architecture string) error {
	s, err := newSysroot(o, architecture)
	if err != nil {
		return fmt.Errorf("add %s: %w", program, err)
	}
	if _, err := os.Stat(s.path(program)); err != nil {
		return fmt.Errorf("add %s for %s: %w: install the package that has it, or unpack it to the folder of -sysroot %s=DIR", program, architecture, err, architecture)
	}
	queue := []string{program}
	for len(queue) > 0 {
		name := queue[0]
		queue = queue[1:]
		key := strings.TrimPrefix(path.Clean(name), "/")
		if _, ok := t[key]; ok {
			continue
		}
		needed, err := s.needs(name)
		if err != nil {
			return fmt.Errorf("add %s: %w", program, err)
		}
		content, err := os.ReadFile(s.path(name))
		if err != nil {
			return err
		}
		t[key] = file{content, 0o755}
		queue = append(queue, needed...)
	}
	return nil
}

// A sysroot is where programs of an architecture are.
type sysroot struct {
	dir          string
	architecture string
}

func newSysroot(o options, architecture string) (sysroot, error) {
	for _, s := range o.sysroots {
		if a, dir, _ := strings.Cut(s, "="); a == architecture {
			return sysroot{dir, architecture}, nil
		}
	}
	if architecture != runtime.GOARCH {
		return sysroot{}, fmt.Errorf("it is needed for %s, which this machine is not: give -sysroot %s=DIR", architecture, architecture)
	}
	return sysroot{"/", architecture}, nil
}

func (s sysroot) path(name string) string { return path.Join(s.dir, name) }

// needs returns the files that a program or library needs itself: its loader and libraries.
func (s sysroot) needs(name string) ([]string, error) {
	f, err := elf.Open(s.path(name))
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	defer f.Close() //nolint:errcheck // it reads only
	if machines()[f.Machine] != s.architecture {
		return nil, fmt.Errorf("%s is for %s, not for %s", name, f.Machine, s.architecture)
	}
	var found []string
	if loader := interpreter(f); loader != "" {
		found = append(found, loader)
	}
	libraries, err := f.ImportedLibraries()
	// A loader has no such section.
	if err != nil && !errors.Is(err, elf.ErrNoSymbols) {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	for _, l := range libraries {
		library, err := s.library(l)
		if err != nil {
			return nil, fmt.Errorf("%s needs %w", name, err)
		}
		found = append(found, library)
	}
	return found, nil
}

// library finds a library where the loader would look for it.
func (s sysroot) library(name string) (string, error) {
	triplet := triplets()[s.architecture]
	for _, dir := range []string{"/lib/" + triplet, "/usr/lib/" + triplet, "/lib64", "/usr/lib64", "/lib", "/usr/lib"} {
		candidate := path.Join(dir, name)
		if f, err := elf.Open(s.path(candidate)); err == nil {
			machine := f.Machine
			_ = f.Close() // it reads only
			if machines()[machine] == s.architecture {
				return candidate, nil
			}
		}
	}
	return "", fmt.Errorf("%s, which is in none of the libraries' folders of %s", name, s.dir)
}

// interpreter returns the loader that a dynamic program asks for, "" for a static one.
func interpreter(f *elf.File) string {
	for _, p := range f.Progs {
		if p.Type != elf.PT_INTERP || p.Filesz > 4096 {
			continue
		}
		name := make([]byte, p.Filesz)
		if _, err := p.ReadAt(name, 0); err == nil {
			return strings.TrimRight(string(name), "\x00")
		}
	}
	return ""
}
