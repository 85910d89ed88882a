#!/usr/bin/env bash
# Copyright The Golden Image Authors.
# SPDX-License-Identifier: Apache-2.0

# Builds what the cluster runs: Kubernetes and etcd (one binary), the CSI driver and its
# sidecars, containerd, the network plugins, the registry, the helpers and the images. A
# part whose sources are unchanged is not built again.
set -euo pipefail
. "$(dirname "$0")/lib.sh"
require_root
command -v go >/dev/null || die "needs Go: no go in PATH"
"$here/../install-packages.sh"
lock "$cache/lock"
mkdir -p "$built/cni" "$cache/images" "$cache/manifests" "$cache/stamps"

export CGO_ENABLED=0 GOWORK=off
compile=(go build -trimpath -buildvcs=false)

# part NAME COMMAND...: runs COMMAND in the folder NAME unless its stamp is current.
part() {
	local name=$1 sum begin=$SECONDS
	shift
	cd "$here/$name"
	sum=$({
		go version
		sha256sum "$(command -v busybox)"
		declare -f "$1"
		find . -type f -print0 | sort -z | xargs -0 sha256sum
	} | sha256sum)
	if [ "$(cat "$cache/stamps/$name" 2>/dev/null)" = "$sum" ]; then
		echo "$name: up to date"
		return
	fi
	"$@"
	echo "$sum" >"$cache/stamps/$name"
	echo "$name: built in $((SECONDS - begin)) s"
}

build_kube() {
	local tag numbers minor crds c version=k8s.io/component-base/version
	tag=$(go list -m -f '{{.Version}}' k8s.io/kubernetes)
	numbers=${tag#v}
	minor=${numbers#*.}
	# The components take the versions of their APIs and features from these.
	local flags="-s -w -X $version.gitVersion=$tag -X $version.gitMajor=${numbers%%.*}"
	flags+=" -X $version.gitMinor=${minor%%.*} -X $version.gitTreeState=clean"
	"${compile[@]}" -ldflags="$flags" -o "$built/" ./hyperkube ./csi-driver ./csi-registrar ./plain-provisioner \
		github.com/kubernetes-csi/external-provisioner/v6/cmd/csi-provisioner \
		github.com/kubernetes-csi/external-snapshotter/v8/cmd/csi-snapshotter \
		github.com/kubernetes-csi/external-snapshotter/v8/cmd/snapshot-controller
	for c in etcd kube-apiserver kube-controller-manager kube-scheduler kube-proxy kubelet kubectl; do
		ln -sf hyperkube "$built/$c"
	done
	crds=$(go list -m -f '{{.Dir}}' github.com/kubernetes-csi/external-snapshotter/client/v8)/config/crd
	install -m 644 "$crds"/snapshot.storage.k8s.io_*.yaml "$cache/manifests/"
}

build_node() {
	local containerd=github.com/containerd/containerd/v2 plugins=github.com/containernetworking/plugins/plugins
	"${compile[@]}" -ldflags='-s -w' -tags no_btrfs,no_devmapper,no_zfs,no_tracing -o "$built/" \
		$containerd/cmd/containerd $containerd/cmd/containerd-shim-runc-v2 $containerd/cmd/ctr
	"${compile[@]}" -ldflags='-s -w' -o "$built/cni/" \
		$plugins/main/bridge $plugins/main/loopback $plugins/ipam/host-local
	"${compile[@]}" -ldflags='-s -w' -o "$built/" ./registry
}

build_helper() {
	"${compile[@]}" -ldflags='-s -w' -o "$built/" ./certs ./image ./pause
	"$built/image" -name golden-image.test/pause:1 -out "$cache/images/pause.tar" -command /pause /pause="$built/pause"
	local applet links=()
	for applet in $(busybox --list); do
		[ "$applet" = busybox ] || links+=("/bin/$applet=>busybox")
	done
	"$built/image" -name golden-image.test/busybox:1 -out "$cache/images/busybox.tar" -command /bin/sh \
		/bin/busybox="$(command -v busybox)" "${links[@]}"
}

part helper build_helper
part node build_node
part kube build_kube
