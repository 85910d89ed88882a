// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

// Command pause is the process of a Pod's sandbox: it holds the Pod's namespaces open,
// reaps the zombies that a shared process namespace leaves it, and ends on SIGINT and
// SIGTERM. It reads and writes nothing.
package main
