// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

// Command image makes a container image of a static binary, without a container engine: one
// layer with the binary, the machine's certificate authorities, and on request a program of
// this machine with the shared libraries that it needs. It writes an OCI archive that
// containerd loads (ctr images import), and pushes to a registry.
//
// The same files make the same digest. With binaries for several architectures, which their
// ELF headers tell, it makes an index. A program for another architecture than this
// machine's comes from a folder with that architecture's root file system (-sysroot), such
// as Debian's packages unpacked with dpkg-deb -x; without one it is an error.
//
//	go run ./hack/image -name golden-image.test/golden-image-importer:dev -out importer.tar \
//	    -binary _output/bin/golden-image-importer -entrypoint /golden-image-importer \
//	    -user 107:107 -with-program /usr/bin/qemu-img
package main
