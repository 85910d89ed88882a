// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

// Package status is how controllers write what they found: conditions whose times move only
// when they should, and updates and patches that change a controller's own fields and keep the
// others', whoever writes at the same time.
package status
