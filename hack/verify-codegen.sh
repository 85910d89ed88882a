#!/usr/bin/env bash
# Copyright The Golden Image Authors.
# SPDX-License-Identifier: Apache-2.0
#
# Fails if the generated code is not what update-codegen.sh makes of the API types now. It
# works on a copy: the tree is not changed.
set -euo pipefail
cd "$(dirname "$0")/.."

copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
mkdir -p "$copy/hack" "$copy/test"
cp go.mod go.sum "$copy/"
cp -R pkg "$copy/pkg"
cp -R test/cdiclient "$copy/test/cdiclient"
cp -R hack/applyschema "$copy/hack/applyschema"
cp hack/update-codegen.sh hack/boilerplate.go.txt "$copy/hack/"
"$copy/hack/update-codegen.sh"
if ! diff -Naur pkg "$copy/pkg" || ! diff -Naur test/cdiclient "$copy/test/cdiclient"; then
	echo "generated code is out of date: run 'make update'" >&2
	exit 1
fi
