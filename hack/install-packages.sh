#!/usr/bin/env bash
# Copyright The Golden Image Authors.
# SPDX-License-Identifier: Apache-2.0

# Installs the Debian packages that the local cluster, the images and the tests need: those
# that are missing, and nothing if none is. None of them starts a service.
set -euo pipefail

packages=(
	# The node: Pods, their network, names and volumes.
	runc nftables dnsmasq-base iproute2 mount util-linux procps xfsprogs e2fsprogs busybox-static
	# Disk images, in the importer's image and in the test disks.
	qemu-utils
	# Builds and tests: the race detector needs a C compiler.
	gcc libc6-dev make git ca-certificates
)
# Clients in TypeScript are generated and run; a Node.js of another make will do.
command -v npm >/dev/null || packages+=(nodejs npm)
missing=()
for p in "${packages[@]}"; do
	[ "$(dpkg-query -W -f '${db:Status-Status}' "$p" 2>/dev/null)" = installed ] || missing+=("$p")
done
[ ${#missing[@]} -gt 0 ] || exit 0

fail() {
	echo "install-packages.sh: $*; what is missing: ${missing[*]}" >&2
	exit 1
}
command -v apt-get >/dev/null || fail "installs on Debian and Ubuntu only; elsewhere install the like by hand"
[ "$(id -u)" = 0 ] || fail "needs root"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
echo "installing ${missing[*]}"
export DEBIAN_FRONTEND=noninteractive
{
	apt-get update -q &&
		apt-get install -q -y --no-install-recommends "${missing[@]}"
} </dev/null >"$log" 2>&1 || {
	tail -n 20 "$log" >&2
	fail "apt-get failed"
}
