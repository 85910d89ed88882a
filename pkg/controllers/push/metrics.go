// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package push

import (
	"k8s.io/component-base/metrics"
	"k8s.io/component-base/metrics/legacyregistry"
)

const (
	subsystem = "golden_image"
	// nobody stands for the sender of a request that names none.
	nobody = "unknown"

	resultAccepted     = "accepted"
	resultIgnored      = "ignored"
	resultMalformed    = "malformed"
	resultUnauthorized = "unauthorized"
	resultLimited      = "limited"
	resultBusy         = "busy"
	resultTriggered    = "triggered"
	resultFailed       = "trigger_failed"
)

// Metrics of notifications. Make them with NewMetrics.
type Metrics struct{ events *metrics.CounterVec }

// NewMetrics returns metrics that nobody sees until they are registered.
func NewMetrics() *Metrics {
	return &Metrics{events: metrics.NewCounterVec(&metrics.CounterOpts{
		Subsystem: subsystem, Name: "registry_events_total", StabilityLevel: metrics.ALPHA,
		Help: "Notifications of registries by sender and result, and the polls that were asked for (triggered, trigger_failed).",
	}, []string{"sender", "result"})}
}

// Register shows the metrics among the process's.
func (m *Metrics) Register() { legacyregistry.MustRegister(m.events) }

func (m *Metrics) count(sender, result string) { m.events.WithLabelValues(sender, result).Inc() }
