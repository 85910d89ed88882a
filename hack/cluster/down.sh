#!/usr/bin/env bash
# Copyright The Golden Image Authors.
# SPDX-License-Identifier: Apache-2.0

# Ends the cluster and removes what it left: its state, control groups and loop devices.
# It does nothing if there is none. What build.sh made stays.
set -euo pipefail
. "$(dirname "$0")/lib.sh"
require_root
[ -n "${GOLDEN_IMAGE_LOCKED:-}" ] || lock "$root/lock" # else up.sh, which calls this, holds it
[ -d "$run" ] || exit 0 # control groups may be of another folder's cluster

if pid=$(node_pid); then
	kill -KILL "$pid" # and with it every process of its namespace
	until_ok 30 test ! -e "/proc/$pid" || die "process $pid, the node's first, does not end"
fi
# The link goes with the node's network namespace, in a moment.
[ ! -f "$pidfile" ] || ip link delete $host_link 2>/dev/null || true

# detach DEVICE: detaches a loop device, after those whose backing file lies on it (the
# CSI driver's volumes) or is its device file (the kubelet's hold on a block volume).
detach() {
	local number file name on inode
	number=$(lsblk --nodeps --noheadings --output MAJ:MIN "$1" | tr -d ' ')
	file=$(stat -c '%Hd:%Ld %i' "$1")
	losetup --list --noheadings --output NAME,BACK-MAJ:MIN,BACK-INO | while read -r name on inode; do
		if [ "$on" = "$number" ] || [ "$on $inode" = "$file" ]; then detach "$name"; fi
	done
	losetup --detach "$1" 2>/dev/null || true # it may have gone with its last user
}
if [ -f "$run/disk.img" ]; then
	for d in $(losetup --associated "$run/disk.img" --noheadings --output NAME); do detach "$d"; done
fi
for d in /sys/fs/cgroup/"$cgroup" /sys/fs/cgroup/*/"$cgroup"; do
	# A group can be removed a moment after its last process has ended.
	[ ! -d "$d" ] || until_ok 10 find "$d" -depth -type d -exec rmdir {} + || echo "down.sh: $d is still in use" >&2
done
rm -rf "$run"
