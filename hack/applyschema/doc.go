// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

// Command applyschema prints the OpenAPI definitions of our types as an OpenAPI v2 document
// without paths. hack/update-codegen.sh gives it to the generator of the apply configurations,
// which puts into them what merges how: without that the fake clientset can neither apply nor
// write at all, and Extract functions are missing.
//
// Nothing comes in; what goes out is JSON on the standard output. It may import what is
// generated for OpenAPI, and not what is generated from its output.
package main
