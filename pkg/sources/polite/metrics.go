// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package polite

import (
	"net/http"
	"strconv"
	"sync"

	"k8s.io/component-base/metrics"
	"k8s.io/component-base/metrics/legacyregistry"

	"goldenimage.dev/pkg/sources"
)

const (
	subsystem     = "golden_image"
	labelRegistry = "registry"
	// mostRegistries bounds the values of the label registry; the rest is other.
	mostRegistries = 100
	other          = "other"

	resultShared  = "shared"
	resultAsked   = "asked"
	resultRefused = "refused"
)

// Metrics of how sources are asked. Make them with NewMetrics.
type Metrics struct {
	requests  *metrics.CounterVec
	remaining *metrics.GaugeVec
	questions *metrics.CounterVec
	waiting   *metrics.GaugeVec
	open      *metrics.GaugeVec

	mu         sync.Mutex
	registries map[string]bool
}

// NewMetrics returns metrics that nobody sees until they are registered.
func NewMetrics() *Metrics {
	gauge := func(name, help string) *metrics.GaugeVec {
		return metrics.NewGaugeVec(&metrics.GaugeOpts{Subsystem: subsystem, Name: name, Help: help, StabilityLevel: metrics.ALPHA}, []string{labelRegistry})
	}
	counter := func(name, help string, labels ...string) *metrics.CounterVec {
		return metrics.NewCounterVec(&metrics.CounterOpts{Subsystem: subsystem, Name: name, Help: help, StabilityLevel: metrics.ALPHA}, labels)
	}
	return &Metrics{
		registries: map[string]bool{},
		requests: counter("registry_requests_total",
			"Requests to registries and other hosts by the host that users named, method, and status code (none if there was no answer).",
			labelRegistry, "method", "code"),
		remaining: gauge("registry_ratelimit_remaining", "How many requests a registry said last that it grants until it limits them."),
		questions: counter("source_questions_total",
			"Questions what a source holds by its host and how they were answered: asked, shared with others who asked the same, or refused while the host is not to be asked.",
			labelRegistry, "result"),
		waiting: gauge("source_questions_waiting", "Questions that wait to be asked, by host."),
		open:    gauge("source_circuit_open", "Whether a host failed so often that it is not asked but now and then; more than 1 if it is so by several ways."),
	}
}

// Register shows the metrics among the process's.
func (m *Metrics) Register() {
	legacyregistry.MustRegister(m.requests, m.remaining, m.questions, m.waiting, m.open)
}

// Observe counts a request. It is a sources.Observer.
func (m *Metrics) Observe(exchange sources.Exchange) {
	registry := m.registry(exchange.Registry)
	m.requests.WithLabelValues(registry, method(exchange.Method), code(exchange.Code)).Inc()
	if exchange.Remaining >= 0 && registry != other {
		m.remaining.WithLabelValues(registry).Set(float64(exchange.Remaining))
	}
}

func (m *Metrics) question(host, result string) {
	m.questions.WithLabelValues(m.registry(host), result).Inc()
}

func (m *Metrics) queued(host string, by float64) {
	m.waiting.WithLabelValues(m.registry(host)).Add(by)
}

func (m *Metrics) opened(host string, by float64) {
	m.open.WithLabelValues(m.registry(host)).Add(by)
}

// resultOf is how a question is answered that waits.
func resultOf(first bool) string {
	if first {
		return resultAsked
	}
	return resultShared
}

// registry is the value of the label for a host.
func (m *Metrics) registry(host string) string {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.registries[host] {
		return host
	}
	if len(m.registries) >= mostRegistries {
		return other
	}
	m.registries[host] = true
	return host
}

func method(name string) string {
	switch name {
	case http.MethodHead, http.MethodGet, http.MethodPost:
		return name
	}
	return other
}

func code(status int) string {
	switch {
	case status == 0:
		return "none"
	case status < 100 || status > 599:
		return other
	}
	return strconv.Itoa(status)
}
