#!/usr/bin/env bash
# Copyright The Golden Image Authors.
# SPDX-License-Identifier: Apache-2.0
#
# Runs the end-to-end tests on the local cluster, which is brought up if needed.
set -euo pipefail
cd "$(dirname "$0")/.."
hack/local.sh
GOLDEN_IMAGE_ROOT=$PWD go test -tags e2e -count=1 -timeout 30m -parallel 6 -v ./test/e2e/... "$@"
