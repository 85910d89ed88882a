// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

// Command registry is the cluster's image registry: the distribution project's server
// with the file-system storage driver and htpasswd authentication, and nothing else.
//
//	registry serve CONFIG             runs the server
//	registry user -dir DIR -name NAME writes DIR/NAME.password and DIR/htpasswd, unless
//	                                  they are there
//
// It takes no credential from its arguments or its environment and prints none.
package main
