#!/usr/bin/env bash
# Copyright The Golden Image Authors.
# SPDX-License-Identifier: Apache-2.0
#
# Generates what is derived from the API types: deep copies, defaults, conversions, the
# OpenAPI definitions, and the clients below pkg/generated. The generators are pinned as
# tools in go.mod.
set -euo pipefail
cd "$(dirname "$0")/.."

module=goldenimage.dev
internal=$module/pkg/apis/cdi
versioned=$module/pkg/apis/cdi/v1beta1
generated=$module/pkg/generated
header=hack/boilerplate.go.txt
bin=$(mktemp -d)
trap 'rm -rf "$bin"' EXIT
GOBIN=$bin go install tool

find pkg/apis -name 'zz_generated.*.go' -delete
rm -rf pkg/generated/{clientset,listers,informers,applyconfiguration,openapi}

run() {
	local tool=$1
	shift
	"$bin/$tool" --go-header-file "$header" "$@"
}

run deepcopy-gen --output-file zz_generated.deepcopy.go "$internal" "$versioned"
run defaulter-gen --output-file zz_generated.defaults.go "$versioned"
run conversion-gen --output-file zz_generated.conversion.go "$versioned"

# The libraries name their own models; only ours are named here.
libraries=(
	k8s.io/apimachinery/pkg/apis/meta/v1
	k8s.io/apimachinery/pkg/runtime
	k8s.io/apimachinery/pkg/version
	k8s.io/apimachinery/pkg/api/resource
	k8s.io/api/core/v1
)
readonly_args=()
for package in "${libraries[@]}"; do readonly_args+=(--readonly-pkg "$package"); done
run openapi-gen --output-file zz_generated.openapi.go --output-model-name-file zz_generated.model_name.go \
	--output-dir pkg/generated/openapi --output-pkg "$generated/openapi" --report-filename /dev/null \
	"${readonly_args[@]}" "${libraries[@]}" "$versioned"

run applyconfiguration-gen --output-dir pkg/generated/applyconfiguration \
	--output-pkg "$generated/applyconfiguration" "$versioned"
run client-gen --output-dir pkg/generated/clientset --output-pkg "$generated/clientset" \
	--clientset-name versioned --apply-configuration-package "$generated/applyconfiguration" \
	--input-base "$module/pkg/apis" --input cdi/v1beta1
run lister-gen --output-dir pkg/generated/listers --output-pkg "$generated/listers" "$versioned"
run informer-gen --output-dir pkg/generated/informers --output-pkg "$generated/informers" \
	--versioned-clientset-package "$generated/clientset/versioned" --listers-package "$generated/listers" "$versioned"

gofmt -w pkg/generated
