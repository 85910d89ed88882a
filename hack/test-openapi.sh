#!/usr/bin/env bash
# Copyright The Golden Image Authors.
# SPDX-License-Identifier: Apache-2.0
#
# Fetches the OpenAPI documents through the API server of the local cluster, which is brought
# up if needed, checks them, and has clients generated from them work with the server. With
# KUBECTL set, the cluster is the one that this kubectl asks.
set -euo pipefail
cd "$(dirname "$0")/.."
if [ -z "${KUBECTL:-}" ]; then
	hack/local.sh
	KUBECTL=hack/cluster/kubectl.sh
fi

step() { printf '\n\033[1m==> %s\033[0m\n' "$*"; }
run() { (cd "$work" && npm run --silent "$@"); }
# documents fetches and checks them; it ends with 75 if they are not there yet.
documents() {
	"$KUBECTL" get --raw /openapi/v3/apis/cdi.kubevirt.io/v1beta1 >"$work/openapi-v3.json" || return 75
	"$KUBECTL" get --raw /openapi/v2 >"$work/openapi-v2.json" || return 75
	run lint
}
# client runs a program as the user of the kubeconfig, which goes in by its standard input.
client() { "$KUBECTL" config view --raw --minify --flatten -o json | node "$work/built/src/$1.js"; }

# All that is made is below _output, where neither git nor Go looks.
work=_output/openapi
mkdir -p "$work"
rm -rf "$work"/{src,generated,built}
cp -R test/openapi/typescript/. "$work"

step "Tools"
if ! cmp -s "$work/package-lock.json" "$work/node_modules/.installed"; then
	(cd "$work" && npm ci --loglevel=error)
	cp "$work/package-lock.json" "$work/node_modules/.installed"
fi

step "Documents"
# Those of a server that has just come are there after a minute at most.
for attempt in {1..20}; do
	result=0
	documents || result=$?
	if [ "$result" != 75 ] || [ "$attempt" = 20 ]; then break; fi
	sleep 5
done
[ "$result" = 0 ]

step "Clients"
run generate
run build
client openapi-typescript
client hey-api
