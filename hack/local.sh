#!/usr/bin/env bash
# Copyright The Golden Image Authors.
# SPDX-License-Identifier: Apache-2.0
#
# Brings up the local cluster with the server in it, and what a site has: a registry that
# plays quay.io, and the ConfigMap with its certificate authority. What is up already stays;
# a server of other code is replaced.
set -euo pipefail
cd "$(dirname "$0")/.."

step() { printf '\n\033[1m==> %s\033[0m\n' "$*"; }

step "Packages"
hack/install-packages.sh
step "Local cluster (its first build takes some minutes)"
hack/cluster/build.sh
hack/cluster/up.sh
KUBECONFIG=$(hack/cluster/kubeconfig.sh)
export KUBECONFIG
kubectl() { hack/cluster/kubectl.sh "$@"; }

step "Images"
make images
CGO_ENABLED=0 go build -trimpath -o _output/bin/testdisk ./hack/testdisk
hack/cluster/load-image.sh _output/images

step "Server"
BUILT=$(sha256sum _output/images/*.tar | sha256sum | cut -c1-16)
BUILT=$BUILT KUBECTL=hack/cluster/kubectl.sh hack/deploy.sh

step "A site: namespace, certificate authority, an image in the registry that plays quay.io"
kubectl create namespace golden-images --dry-run=client -o yaml | kubectl apply -f -
kubectl label --overwrite namespace golden-images pod-security.kubernetes.io/enforce=restricted >/dev/null
ca=$(dirname "$KUBECONFIG")/registry-ca.crt
kubectl -n golden-images create configmap some-certs --from-file=ca.crt="$ca" --dry-run=client -o yaml | kubectl apply -f -
_output/bin/testdisk -version "${DISK_VERSION:-1}" -raw-sum _output/disk-1.sha256 -connect 10.213.0.1:443 -ca "$ca" \
	-push quay.io/kubevirt/fedora-cloud-registry-disk-demo:latest
