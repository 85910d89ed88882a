// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

// Package imports makes a DataVolume for content that was found and not imported yet: the third
// stage of the pipeline.
//
//	schedule → resolve → import → populate → publish → retain
//
// In: a DataImportCron whose annotation sourceDesiredDigest differs from its current import, and
// the state of that import's DataVolume and claim. Out: the DataVolume, whose name is made from
// the digest so that making it twice makes one; of the cron's status currentImports and the
// condition Progressing, which says of an import that is stuck what is wrong with it. The stage
// below, volume, is woken by the DataVolume, and publish by its success.
//
// One import of a cron is under way at a time. A newer digest waits for one that gets on, until
// it was published, and replaces one that does not. An import that failed is tried again by
// deleting and making it anew, after pauses that grow from a minute to an hour; how often
// that was done is kept in an annotation of the cron, since the DataVolume is gone in between.
// DataVolumes have no owner reference: imports outlive their cron unless retention deletes them.
//
// A source that is a claim becomes a clone, named by the claim's UID. If the claim is in another
// namespace, the DataVolume remembers the cron's ServiceAccount as who asks, and the stage below
// decides whether that may have it. An import that it may not have is made anew when the cron
// names another ServiceAccount.
//
// It may not fill volumes, nor delete an import that is complete.
package imports
