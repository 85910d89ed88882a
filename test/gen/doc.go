// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

// Package gen builds the objects that tests are about: small valid ones, which modifiers make
// into what a test needs, so that a test shows only what it depends on. Names and modifiers come
// in, API objects go out. Only tests may use it.
package gen
