#!/usr/bin/env bash
# Copyright The Golden Image Authors.
# SPDX-License-Identifier: Apache-2.0

# Prints the path of the administrator's kubeconfig, which works on this machine as it
# does on the node. The file is there while the cluster is up.
set -euo pipefail
. "$(dirname "$0")/lib.sh"
echo "$pki/admin.kubeconfig"
