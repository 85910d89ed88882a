// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package installation

import (
	"cmp"
	"maps"
	"math"
	"regexp"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/utils/ptr"

	"goldenimage.dev/pkg/apis/cdi/v1beta1"
)

// configStatus completes the spec of a CDIConfig. classes are the names of all StorageClasses,
// overhead the share that counts where the spec has none.
func configStatus(spec *v1beta1.CDIConfigSpec, classes []string, overhead v1beta1.Percent) v1beta1.CDIConfigStatus {
	return v1beta1.CDIConfigStatus{
		UploadProxyURL:                 public(spec.UploadProxyURLOverride),
		ImportProxy:                    publicProxy(spec.ImportProxy),
		DefaultPodResourceRequirements: requirements(spec.PodResourceRequirements),
		FilesystemOverhead:             overheads(ptr.Deref(spec.FilesystemOverhead, v1beta1.FilesystemOverhead{}), classes, overhead),
		Preallocation:                  ptr.Deref(spec.Preallocation, false),
		ImagePullSecrets:               spec.ImagePullSecrets,
	}
}

// overheads returns the share of each class: its own, else the spec's for all, else the default.
func overheads(spec v1beta1.FilesystemOverhead, classes []string, overhead v1beta1.Percent) *v1beta1.FilesystemOverhead {
	global := cmp.Or(valid(spec.Global), overhead)
	all := &v1beta1.FilesystemOverhead{Global: global, StorageClass: map[string]v1beta1.Percent{}}
	for _, class := range classes {
		all.StorageClass[class] = cmp.Or(valid(spec.StorageClass[class]), global)
	}
	return all
}

// percent returns a share as the API has it, with three digits after the point. What it cuts off
// it rounds up: who makes volumes by it shall not make them too small.
func percent(share float64) v1beta1.Percent {
	const digits, noise = 1000, 1e-6
	// Of 0 less the noise, the ceiling is a negative zero.
	return v1beta1.Percent(strconv.FormatFloat(max(0, math.Ceil(share*digits-noise)/digits), 'f', -1, 64))
}

// valid returns a share, "" if it is none: a spec that was stored before it would be refused
// does not keep the status from being written.
func valid(share v1beta1.Percent) v1beta1.Percent {
	if regexp.MustCompile(`^(0(\.[0-9]{1,3})?|1)$`).MatchString(string(share)) {
		return share
	}
	return ""
}

// requirements completes those of pods. A limit and a request of which one was asked for do not
// contradict each other.
func requirements(spec *corev1.ResourceRequirements) *corev1.ResourceRequirements {
	asked := ptr.Deref(spec, corev1.ResourceRequirements{})
	all := &corev1.ResourceRequirements{
		Requests: corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("100m"), corev1.ResourceMemory: resource.MustParse("60M")},
		Limits:   corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("750m"), corev1.ResourceMemory: resource.MustParse("600M")},
		Claims:   asked.Claims,
	}
	maps.Copy(all.Requests, asked.Requests)
	maps.Copy(all.Limits, asked.Limits)
	for name, limit := range all.Limits {
		request, ok := all.Requests[name]
		if !ok || request.Cmp(limit) <= 0 {
			continue
		}
		if _, ok := asked.Limits[name]; ok {
			all.Requests[name] = limit
		} else {
			all.Limits[name] = request
		}
	}
	return all
}

func publicProxy(spec *v1beta1.ImportProxy) *v1beta1.ImportProxy {
	if spec == nil {
		return nil
	}
	proxy := *spec
	proxy.HTTPProxy, proxy.HTTPSProxy = public(spec.HTTPProxy), public(spec.HTTPSProxy)
	return &proxy
}

// public returns a URL without the name and the password of a user. It does not parse the URL:
// a password may be what makes one invalid. So it may take more of it than it has to.
func public(address *string) *string {
	if address == nil {
		return nil
	}
	at := strings.LastIndex(*address, "@")
	if at < 0 {
		return new(*address)
	}
	scheme, _, ok := strings.Cut((*address)[:at], "://")
	if !ok {
		return new((*address)[at+1:])
	}
	return new(scheme + "://" + (*address)[at+1:])
}
