// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

// Package app assembles the server: flags become options, options a config, a completed
// config the server. What runs is in plain sight: the resources in pkg/registry/cdi/rest,
// the sources in sources.go, the controllers in controllers.go. It holds no business rules.
package app
