// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

// Package schedule reads the schedules of DataImportCrons and tells when they are due. A
// string comes in; times go out.
//
// It is the only package that knows the cron library, and keeps what that library does wrong
// away from everybody else: inputs that make it panic, schedules that never come, time zones
// that a minimal container image does not carry. It knows neither a clock nor Kubernetes.
package schedule
