#!/usr/bin/env bash
# Copyright The Golden Image Authors.
# SPDX-License-Identifier: Apache-2.0

# Runs a command (a shell without one) in the node's namespaces, with kubectl, ctr and the
# cluster's other programs in PATH.
set -euo pipefail
. "$(dirname "$0")/lib.sh"
require_root
export KUBECONFIG=$pki/admin.kubeconfig
[ $# -gt 0 ] || set -- bash
on_node "$@"
