#!/usr/bin/env bash
# Copyright The Golden Image Authors.
# SPDX-License-Identifier: Apache-2.0
#
# Runs the benchmarks, or the one that is named: tables to the screen, figures to
# _output/bench. Ends with 2 if there is none of that name. Those of the API and of polls bring up
# the local cluster if needed, and leave it running.
set -euo pipefail
cd "$(dirname "$0")/.."
hack/install-packages.sh
make build
# Built and not "go run", which would hide the exit code.
go build -trimpath -o _output/bench/bench ./hack/bench
flags=()
if [ "${1:-api}" = api ] || [ "$1" = poll ]; then
	# The API's peer is the local cluster's API server, with this project's server in that
	# cluster; polls are those of that server.
	hack/local.sh
	kubeconfig=$(hack/cluster/kubeconfig.sh)
	flags=(-kubeconfig "$kubeconfig" -etcd-fsync "${kubeconfig%/pki/*}/etcd-fsync")
fi
exec _output/bench/bench "${flags[@]}" "$@"
