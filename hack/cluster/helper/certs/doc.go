// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

// Command certs writes what the cluster's components identify themselves with: the
// authorities, the certificates that they sign, the service-account key, and a kubeconfig
// for each client. The registries' certificate is of an authority of its own, as a site's
// mirror has one. It keeps a folder that is complete. The keys are for this cluster only
// and are readable by their owner alone.
package main
