#!/usr/bin/env bash
# Copyright The Golden Image Authors.
# SPDX-License-Identifier: Apache-2.0
#
# Generates what is derived from the API types: deep copies, defaults, conversions, the
# OpenAPI definitions, and the clients below pkg/generated; and the client of the Containerized
# Data Importer below test/cdiclient, from its API types. The generators are pinned as tools in
# go.mod.
set -euo pipefail
cd "$(dirname "$0")/.."

module=goldenimage.dev
internal=$module/pkg/apis/cdi
versioned=$module/pkg/apis/cdi/v1beta1
generated=$module/pkg/generated
cdi=kubevirt.io/containerized-data-importer-api/pkg/apis
cdiclient=$module/test/cdiclient
header=hack/boilerplate.go.txt
bin=$(mktemp -d)
trap 'rm -rf "$bin"' EXIT
GOBIN=$bin go install tool

find pkg/apis -name 'zz_generated.*.go' -delete
rm -rf pkg/generated/{clientset,listers,informers,applyconfiguration,openapi}
rm -rf test/cdiclient/{clientset,listers,informers}

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

# The fake clientset merges by what the definitions say. The generator knows them by their Go
# package, and the fake clientset by the names of the models.
go run ./hack/applyschema >"$bin/schema.json"
run applyconfiguration-gen --output-dir pkg/generated/applyconfiguration --openapi-schema "$bin/schema.json" \
	--output-pkg "$generated/applyconfiguration" "$versioned"
grep -rl 'dev\.goldenimage\.pkg\.apis\.cdi' pkg/generated/applyconfiguration |
	xargs sed -i 's/dev\.goldenimage\.pkg\.apis\.cdi/dev.goldenimage.cdi/g'
run client-gen --output-dir pkg/generated/clientset --output-pkg "$generated/clientset" \
	--clientset-name versioned --apply-configuration-package "$generated/applyconfiguration" \
	--input-base "$module/pkg/apis" --input cdi/v1beta1
run lister-gen --output-dir pkg/generated/listers --output-pkg "$generated/listers" "$versioned"
run informer-gen --output-dir pkg/generated/informers --output-pkg "$generated/informers" \
	--versioned-clientset-package "$generated/clientset/versioned" --listers-package "$generated/listers" "$versioned"

# What an old client is made of: CDI publishes its types as a module, but not its client.
run client-gen --output-dir test/cdiclient/clientset --output-pkg "$cdiclient/clientset" \
	--clientset-name versioned --fake-clientset=false --input-base "$cdi" --input core/v1beta1
run lister-gen --output-dir test/cdiclient/listers --output-pkg "$cdiclient/listers" "$cdi/core/v1beta1"
run informer-gen --output-dir test/cdiclient/informers --output-pkg "$cdiclient/informers" \
	--versioned-clientset-package "$cdiclient/clientset/versioned" --listers-package "$cdiclient/listers" "$cdi/core/v1beta1"

gofmt -w pkg/generated test/cdiclient
