// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

// Package v1beta1 holds the types of cdi.kubevirt.io/v1beta1 as they are on the wire, with
// all fields of KubeVirt's Containerized Data Importer and, optional and additive, our own:
//
//   - spec.suspend, status.nextPoll, status.lastPoll, status.triggerRequest,
//     status.lastTrigger and status.recentTriggers of a DataImportCron, its condition
//     SourceReachable, and the subresource trigger;
//   - observedGeneration of every condition.
//
// What comes in is what clients send; what goes out is what they get and what is stored. The
// package may import the API machinery alone.
//
// +k8s:deepcopy-gen=package
// +k8s:openapi-gen=true
// +k8s:conversion-gen=goldenimage.dev/pkg/apis/cdi
// +k8s:defaulter-gen=TypeMeta
// +k8s:openapi-model-package=dev.goldenimage.cdi.v1beta1
// +groupName=cdi.kubevirt.io
package v1beta1
