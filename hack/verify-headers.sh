#!/usr/bin/env bash
# Copyright The Golden Image Authors.
# SPDX-License-Identifier: Apache-2.0
#
# Fails if a Go or shell file lacks the licence header.
set -euo pipefail
cd "$(dirname "$0")/.."
missing=$(git ls-files -co --exclude-standard '*.go' '*.sh' | while read -r f; do
	[ -f "$f" ] || continue
	head -n 5 "$f" | grep -q 'SPDX-License-Identifier: Apache-2.0' || echo "$f"
done)
if [ -n "$missing" ]; then
	printf 'no licence header:\n%s\n' "$missing" >&2
	exit 1
fi
