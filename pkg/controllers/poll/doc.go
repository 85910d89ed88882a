// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

// Package poll asks the sources of DataImportCrons what they hold: the first two stages of the
// pipeline.
//
//	schedule → resolve → import → populate → publish → retain
//
// In (schedule): a DataImportCron that was changed, the time at which one is due, a trigger
// request that the API recorded, or a sources.Watcher that tells of new content. In (resolve):
// an Asker, which asks the sources on behalf of all crons, and package access, which reads the
// Secret and ConfigMap that the template names. Out: the annotations of v1beta1.StateAnnotations,
// of the status lastExecutionTimestamp, nextPoll, lastPoll, source and lastTrigger, and the
// condition SourceReachable. The stage below, imports, is woken by the digest; nobody is called.
//
// No worker waits for a source: a poll is a question that is left with the Asker, and its cron
// comes again when there is an answer. What was found is one write, of status and annotations
// together. A poll that found nothing new need not be written at once: the controller remembers
// it, writes at a steady pace when many are due together, and writes the rest when it ends. If it
// is killed, those polls are made once more; nothing is missed.
//
// A poll that fails never changes the digest. It is tried again after pauses with full jitter,
// whose bound doubles from half a minute to an hour, whatever the schedule, until it succeeds;
// and at once when the registry answers others again, or when the Secret, ConfigMap or
// ServiceAccount that it is made with changes, which is looked at every few seconds as long as
// that is what failed.
//
// Content has one name of its own: an index that is pushed again with the same image for the
// cron's platform is a new digest of the source, and nothing to import.
//
// A cron that is suspended is polled for triggers alone, and a poll that fails is not tried again;
// what it missed is one poll when it is suspended no longer. A trigger that is to import by force
// and whose poll fails is made up for by the next poll that succeeds, whatever that is made for:
// lastTrigger says so then. While the source asks to be left alone, triggers wait too.
//
// It may not know how any kind of source is read, nor look at imports.
package poll
