// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

// Package cdi holds the types of cdi.kubevirt.io as the server works with them, apart from
// any version. Strategies and validation see these alone; requests and storage go through
// a version's generated conversion. The package may import the API machinery alone.
//
// +k8s:deepcopy-gen=package
// +groupName=cdi.kubevirt.io
package cdi
