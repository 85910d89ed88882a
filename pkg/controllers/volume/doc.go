// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

// Package volume is the controller that fills DataVolumes: stage 4 of a poll, and what a user's
// own DataVolume is served by.
//
// In: DataVolumes with a registry image, another claim or a DataSource as their source, and the
// state of claims, volumes and worker pods. Out: the claim of the same name, complete; the
// DataVolume's status, which nobody else writes; two annotations that pin what is copied.
//
// One state machine serves two ways to attach, chosen once per volume (method.go):
//
//	direct     the worker writes into the claim itself
//	hand-over  a prime claim is filled, then its PersistentVolume is rebound to the claim,
//	           which stays unbound until it is complete
//
// A sync gathers what there is (gather.go, source.go, image.go, class.go), decides on at most one
// step (decide.go, worker.go, handover.go; pure), takes it (apply.go) and writes the status. What
// a step has done is seen in the cluster alone, never remembered, so the process may end after
// any of them. Two rules keep a stale cache from doing harm: nothing is created before the live
// objects were asked, and a volume is rebound only when no worker is left that could write to it.
//
// A clone from another namespace is authorized when the DataVolume is admitted, and once more when
// it is settled what it copies (authorize.go): a DataSource may lead elsewhere by then. Nothing is
// told of a claim before. Who may clone what is Kubernetes' to say; this package only asks.
//
// It may not touch DataImportCrons, nor change a DataSource.
package volume
