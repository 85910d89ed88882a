// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

// Package pipeline tests the controllers of the pipeline together: they share nothing but the
// stored objects, and only here is seen that this is enough. What comes in is a source whose
// content changes, and what is looked at is what users see. DataVolumes are filled by a stand-in.
package pipeline
