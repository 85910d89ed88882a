#!/usr/bin/env bash
# Copyright The Golden Image Authors.
# SPDX-License-Identifier: Apache-2.0
#
# Fails if the derived docs are out of date, or if a document links to a file that is not there.
set -euo pipefail
cd "$(dirname "$0")/.."
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
hack/update-docs.sh "$tmp/flags.txt"
if ! diff -u docs/flags.txt "$tmp/flags.txt"; then
	echo "docs/flags.txt is out of date: run 'make update'" >&2
	exit 1
fi
status=0
while read -r file; do
	while read -r link; do
		target=${link%%#*}
		[ -n "$target" ] || continue
		if [ ! -e "$(dirname "$file")/$target" ]; then
			echo "$file: link to $target, which is not there" >&2
			status=1
		fi
	done < <(grep -oE '\]\([^)]+\)' "$file" | sed -E 's/^\]\(//; s/\)$//' | grep -vE '^(https?:|mailto:|#)' || true)
done < <(git ls-files -co --exclude-standard '*.md')
exit $status
