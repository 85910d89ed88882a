#!/usr/bin/env bash
# Copyright The Golden Image Authors.
# SPDX-License-Identifier: Apache-2.0

# Runs kubectl on this machine, as the cluster's administrator.
set -euo pipefail
. "$(dirname "$0")/lib.sh"
require_root
node_pid >/dev/null || die "the cluster does not run; start it with up.sh"
# What kubectl has learnt of a cluster ends with it.
export KUBECACHEDIR=$run/kubectl-cache
exec "$bin/kubectl" --kubeconfig "$pki/admin.kubeconfig" "$@"
