// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package volume

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/klog/v2"
	"k8s.io/utils/ptr"

	"goldenimage.dev/pkg/apis/cdi/v1beta1"
	importerv1 "goldenimage.dev/pkg/apis/importer/v1"
)

// A progressReader tells how far a worker is. ok is false if it has not said so.
type progressReader interface {
	Read(ctx context.Context, namespace, pod string) (latest importerv1.Progress, ok bool, err error)
}

// Bounds of a look at a worker's log.
const (
	logTimeout = 2 * time.Second
	logLines   = 4
	logBytes   = 4 << 10
	logSeconds = 10
)

// logReader reads the last lines of a worker's log.
type logReader struct {
	client kubernetes.Interface
}

func (r logReader) Read(ctx context.Context, namespace, pod string) (latest importerv1.Progress, ok bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, logTimeout)
	defer cancel()
	stream, err := r.client.CoreV1().Pods(namespace).GetLogs(pod, &corev1.PodLogOptions{
		Container: containerName, TailLines: ptr.To[int64](logLines), SinceSeconds: ptr.To[int64](logSeconds), LimitBytes: ptr.To[int64](logBytes),
	}).Stream(ctx)
	if err != nil {
		return latest, false, fmt.Errorf("open log of %s/%s: %w", namespace, pod, err)
	}
	defer func() { _ = stream.Close() }()
	text, err := io.ReadAll(io.LimitReader(stream, logBytes))
	if err != nil {
		return latest, false, fmt.Errorf("read log of %s/%s: %w", namespace, pod, err)
	}
	latest, ok = lastProgress(string(text))
	return latest, ok, nil
}

// lastProgress finds the last line that is a Progress; the log holds others too.
func lastProgress(text string) (importerv1.Progress, bool) {
	for _, line := range slices.Backward(strings.Split(text, "\n")) {
		// A log line of another kind may be JSON too, and has no fraction.
		found := struct {
			Fraction *float64 `json:"fraction"`
			importerv1.Progress
		}{}
		if json.Unmarshal([]byte(line), &found) == nil && found.Fraction != nil {
			found.Progress.Fraction = *found.Fraction
			return found.Progress, true
		}
	}
	return importerv1.Progress{}, false
}

// progressOf returns a worker's progress as a percentage, "" if it is not known now. A worker
// whose log cannot be read does its work all the same.
func (c *Controller) progressOf(ctx context.Context, pod *corev1.Pod) v1beta1.DataVolumeProgress {
	latest, ok, err := c.progress.Read(ctx, pod.Namespace, pod.Name)
	if err != nil {
		klog.FromContext(ctx).V(4).Info("Progress is not known", "pod", klog.KObj(pod), "reason", err.Error())
		return ""
	}
	if !ok {
		return ""
	}
	return percentage(latest.Fraction)
}

// percentage stays below what tells that a volume is complete.
func percentage(fraction float64) v1beta1.DataVolumeProgress {
	const most = 99.99
	return v1beta1.DataVolumeProgress(fmt.Sprintf("%.2f%%", min(max(fraction*100, 0), most)))
}
