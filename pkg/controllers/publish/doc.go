// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

// Package publish lets a DataSource point to an import that is complete: the fifth stage of the
// pipeline.
//
//	schedule → resolve → import → populate → publish → retain
//
// In: a DataImportCron whose current import is complete, its DataVolume and claim, and the
// DataSource it manages. Out: the DataSource, of the cron's status lastImportedPVC,
// lastImportTimestamp and sourceFormat, the condition UpToDate, and on claims and DataVolumes
// when they were last current. The stage below, retention, is woken by lastImportedPVC.
//
// A reader of the DataSource never sees an image that is not whole: the DataSource moves after
// the import is complete, and stays where it is if that import is deleted and made again. The
// claim is stamped before the DataSource moves: retention deletes only what carries the stamp
// it has seen, so what is about to be published is not deleted under it.
//
// A DataSource belongs to the DataImportCron that its label names. One without a label is
// somebody else's and not touched; one whose DataImportCron is gone, or manages another, is
// taken over. What users change in a managed one is put back.
//
// It may not make nor delete imports.
package publish
