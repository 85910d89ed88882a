// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

// Package poll asks the sources of DataImportCrons what they hold: the first two stages of the
// pipeline.
//
//	schedule → resolve → import → populate → publish → retain
//
// In (schedule): a DataImportCron that was changed, the time at which one is due, or a trigger
// request that the API recorded. In (resolve): a sources.Resolver for the kind of source,
// the Secret and ConfigMap that the template names. Out: the annotations
// sourceDesiredDigest, lastCronTime and nextCronTime, of the status lastExecutionTimestamp,
// nextPoll, lastPoll and lastTrigger, and the condition SourceReachable. The stage below,
// imports, is woken by the digest; nobody is called.
//
// The digest is written before the status. A server that is killed between the two polls once
// more when it is back and finds the same; the other way round, new content would stay
// unnoticed until the next poll. A poll that fails never changes the digest: it is tried again
// with growing pauses, whatever the schedule, until it succeeds. That is also how a Secret or
// ConfigMap that was mended is noticed; they are not watched.
//
// A cron that is suspended is polled for triggers alone, and a poll that fails is not tried again;
// what it missed is one poll when it is suspended no longer. A trigger that is to import by force
// and whose poll fails is made up for by the next poll that succeeds, whatever that is made for:
// lastTrigger says so then. While the source asks to be left alone, triggers wait too.
//
// It may not know any kind of source, nor look at imports.
package poll
