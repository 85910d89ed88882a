// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

// Package generated is the parent of what is generated from the types of
// cdi.kubevirt.io/v1beta1: clientset/versioned with its fake, informers/externalversions,
// listers, applyconfiguration and openapi.
//
// What comes in are the types of pkg/apis/cdi/v1beta1; hack/update-codegen.sh makes the rest
// and removes what was there. The examples of this package show how the parts are used, and
// run with the tests.
package generated
