// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

// Package dataimportcron stores DataImportCrons and answers their subresources status and
// trigger.
//
// A trigger comes in as a DataImportCronTrigger. What becomes of it is decided from the cron
// that is stored and nothing else, so that any replica answers alike; out goes, in one write,
// the status with the request in it, or no write at all if the ID of the request is known.
// The poll controller sees that request and answers it with status.lastTrigger.
//
// It writes to etcd and calls nobody else: no source, no controller.
package dataimportcron
