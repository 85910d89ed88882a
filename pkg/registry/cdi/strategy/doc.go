// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

// Package strategy holds what the strategies of all resources have in common: the main
// endpoint writes the spec, /status writes the status, the generation counts changes of the
// spec. What differs (types, rules, warnings) comes in as functions; nothing here knows a
// resource.
package strategy
