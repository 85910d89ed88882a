#!/usr/bin/env bash
# Copyright The Golden Image Authors.
# SPDX-License-Identifier: Apache-2.0
#
# Writes the docs that are derived from the code: the help text of the server.
set -euo pipefail
cd "$(dirname "$0")/.."
out=${1:-docs/flags.txt}
mkdir -p "$(dirname "$out")"
go run ./cmd/golden-image-apiserver --help >"$out"
