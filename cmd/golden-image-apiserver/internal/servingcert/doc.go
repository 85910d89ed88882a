// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

// Package servingcert gives the server a certificate that kube-apiserver trusts, without
// help from outside: a certificate authority of its own, kept in a Secret that all replicas
// share, signs it, and the APIService is given the authority's certificate. Both are renewed
// long before they end, and replicas notice each other's renewals.
//
// It writes the Secret and the APIService's caBundle, nothing else.
package servingcert
