// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

// Package fuzzer fills objects of cdi.kubevirt.io at random for round-trip tests. What comes
// in is an empty internal object; what goes out is one that defaulting leaves as it is. Only
// tests may import it.
package fuzzer
