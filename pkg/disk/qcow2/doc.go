// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

// Package qcow2 turns a qcow2 image into a raw disk while the image arrives.
//
// In: the image as a stream, in the order of its bytes. Out: calls of a Sink, which writes the
// disk; no part of it is written twice. The format is that of QEMU's docs/interop/qcow2.txt,
// versions 2 and 3, with all that an image can hold by itself: compressed clusters (zlib and
// zstd), zero clusters, extended tables, any size of clusters. Snapshots, bitmaps and refcounts
// are passed over.
//
// The stream is read in chunks, of which the last few are kept. A table is read when it passes,
// and names what the clusters hold that come after it: these go to the Sink when they pass. What
// passes before the table that names it is kept: in memory if it is little, and otherwise in a
// file, the Spill. An image as qemu-img writes it needs no Spill.
//
// How large the Spill can become: a cluster is kept only as long as some table has not passed,
// and only if no table that has passed claims all of it. So the Spill holds no more than the
// image's clusters that come before the last table and are not claimed by the tables before
// them; at most the image. Memory is bounded whatever the image says: more claims than fit are
// left until the end, and their clusters with them.
//
// Images are hostile. What an image says is checked before it is used, and what is wrong with it
// is a FormatError. The package writes nothing but to its Sink and its Spill.
package qcow2
