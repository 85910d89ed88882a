// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

// Package registry is an OCI registry for tests, in this process, with faults to order.
//
// In: images, which ContainerDisk and its relatives make in memory, and Faults, which may
// change at any time. Out: the registry's address, its certificate, and a list of the
// requests that it saw. It listens on loopback alone and ends with its test.
package registry
