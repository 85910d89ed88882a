// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

// Command bench measures this project against what one would use otherwise.
//
// In: the built worker, and the name of a benchmark, or none for all of them. Out: a table on
// standard output, and _output/bench/NAME.json with the same figures as a list of objects:
// name, unit, ours, peer, peerName and ratio, which is ours divided by peer. For times and
// memory below 1 is better, for rates above 1.
//
// All inputs are made by the program from fixed seeds, and served by an OCI registry in this
// process on loopback. Contestants take turns, each figure is the median of the rounds, and
// what comes out is compared with what went in. Nothing is asserted on time: a slow machine is
// no fault. The figures hold for one machine at one time.
//
// The program runs itself, with the argument -child, for the peers that are Go code, so that
// they start like any other program. It needs qemu-img and tar.
package main
