// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

// Package lineage tells what belongs to which DataImportCron, and whether it is complete.
// Objects come in, labels and answers go out. The controllers of the pipeline share it
// because they meet in labels that all must read alike; it decides nothing, and may use
// neither a client nor a clock, only listers.
package lineage
