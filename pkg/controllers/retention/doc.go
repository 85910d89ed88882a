// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

// Package retention deletes imports that nobody needs any more: the last stage of the pipeline.
//
//	schedule → resolve → import → populate → publish → retain
//
// In: a DataImportCron, the claims and DataVolumes that carry its label, what is cloned from
// them and which DataSources point to them. Out: deletions, and the label by which an object
// goes with its cron kept in step with the cron's retentionPolicy (on claims and DataVolumes;
// publish does it on the DataSource).
//
// Kept are the importsToKeep imports (at least one) that were current last, counted by when
// they were last current. Never deleted are, however old: what is published, the current
// import, what a clone in flight copies, what another DataSource points to, and what an admin
// pinned by AnnPinned. What was current a moment ago is left alone for a moment: whoever has
// read the DataSource just before it moved gets time to say so.
//
// With retentionPolicy None, DataSource and imports go with their cron. There is no finalizer
// for that, which would keep a cron, and its namespace, from going while no server is up. All
// objects that have the label of a cron wake the sync of that cron's key; so those of a cron
// that was deleted while no server was up are found when the informers are filled at the
// next start. An object is deleted only after the live API says that the cron is gone.
//
// It may not make anything, nor decide what is current.
package retention
