// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package poll

import (
	"strconv"
	"sync"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/component-base/metrics"
	"k8s.io/component-base/metrics/legacyregistry"

	"goldenimage.dev/pkg/apis/cdi/v1beta1"
	"goldenimage.dev/pkg/controllers/status"
)

const (
	subsystem = "golden_image"
	// maxRegistries bounds the values of the label registry; the rest is otherRegistries.
	maxRegistries   = 100
	otherRegistries = "other"
)

// Metrics of polls. Make them with NewMetrics.
type Metrics struct {
	polls    *metrics.CounterVec
	duration *metrics.HistogramVec
	lag      *metrics.Histogram
	outdated *metrics.GaugeVec

	mu         sync.Mutex
	registries map[string]bool
}

// NewMetrics returns metrics that nobody sees until they are registered.
func NewMetrics() *Metrics {
	return &Metrics{
		registries: map[string]bool{},
		polls: metrics.NewCounterVec(&metrics.CounterOpts{
			Subsystem: subsystem, Name: "polls_total", StabilityLevel: metrics.ALPHA,
			Help: "Polls of sources by registry (or kind of source, if it has none) and result: unchanged, updated, or the reason of the failure.",
		}, []string{"registry", "result"}),
		duration: metrics.NewHistogramVec(&metrics.HistogramOpts{
			Subsystem: subsystem, Name: "poll_duration_seconds", StabilityLevel: metrics.ALPHA,
			Help:    "Time from when a poll is begun to when its answer is known, by registry.",
			Buckets: []float64{0.001, 0.005, 0.02, 0.1, 0.5, 1, 2, 5, 10, 30, 120},
		}, []string{"registry"}),
		lag: metrics.NewHistogram(&metrics.HistogramOpts{
			Subsystem: subsystem, Name: "poll_lag_seconds", StabilityLevel: metrics.ALPHA,
			Help:    "Time from when a poll is due by its schedule, jitter included, to when its answer is known.",
			Buckets: []float64{0.1, 0.25, 0.5, 1, 1.5, 2, 5, 10, 30, 60, 300, 3600},
		}),
		// The name, the labels and their meaning are CDI's, as alerts go by them.
		outdated: metrics.NewGaugeVec(&metrics.GaugeOpts{
			Name: "kubevirt_cdi_dataimportcron_outdated", StabilityLevel: metrics.ALPHA,
			Help: "DataImportCron has an outdated import: 1 if it has. Pending tells that it waits for a default storage class.",
		}, []string{"namespace", "cron_name", "pending"}),
	}
}

// Register shows the metrics among the process's.
func (m *Metrics) Register() {
	legacyregistry.MustRegister(m.polls, m.duration, m.lag, m.outdated)
}

// polled counts a poll.
func (m *Metrics) polled(registry string, r *result) {
	registry = m.label(registry)
	outcome := string(r.outcome())
	if r.err != nil {
		outcome, _ = explain(r.err)
	}
	m.polls.WithLabelValues(registry, outcome).Inc()
	m.duration.WithLabelValues(registry).Observe(r.end.Sub(r.begun).Seconds())
	if !r.due.IsZero() {
		m.lag.Observe(max(0, r.end.Sub(r.due)).Seconds())
	}
}

// label bounds the names of registries, which are whatever users write.
func (m *Metrics) label(registry string) string {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.registries[registry] {
		if len(m.registries) >= maxRegistries {
			return otherRegistries
		}
		m.registries[registry] = true
	}
	return registry
}

// judge says of a cron whether its import is outdated.
func (m *Metrics) judge(cron *v1beta1.DataImportCron) {
	value := 1.0
	if c := status.Cron(cron.Status.Conditions, v1beta1.DataImportCronUpToDate); c != nil && c.Status == corev1.ConditionTrue {
		value = 0
	}
	pending := cron.Annotations[v1beta1.AnnStorageClass] == "" && templateClass(cron) == ""
	m.outdated.WithLabelValues(cron.Namespace, cron.Name, strconv.FormatBool(pending)).Set(value)
	m.outdated.Delete(map[string]string{"namespace": cron.Namespace, "cron_name": cron.Name, "pending": strconv.FormatBool(!pending)})
}

// templateClass is the storage class that a cron names, "" if it is the default one.
func templateClass(cron *v1beta1.DataImportCron) string {
	spec := &cron.Spec.Template.Spec
	switch {
	case spec.Storage != nil && spec.Storage.StorageClassName != nil:
		return *spec.Storage.StorageClassName
	case spec.PVC != nil && spec.PVC.StorageClassName != nil:
		return *spec.PVC.StorageClassName
	}
	return ""
}

// gone forgets a cron that was deleted.
func (m *Metrics) gone(namespace, name string) {
	for _, pending := range []string{"true", "false"} {
		m.outdated.Delete(map[string]string{"namespace": namespace, "cron_name": name, "pending": pending})
	}
}
