#!/usr/bin/env bash
# Copyright The Golden Image Authors.
# SPDX-License-Identifier: Apache-2.0

# load-image.sh ARCHIVE|FOLDER...: imports OCI archives, or all *.tar of a folder, into the
# running node's containerd. An image takes the name that its index entry carries in the
# annotation io.containerd.image.name.
set -euo pipefail
. "$(dirname "$0")/lib.sh"
require_root
[ $# -gt 0 ] || die "usage: load-image.sh ARCHIVE|FOLDER..."
node_pid >/dev/null || die "the cluster does not run; start it with up.sh"

for a in "$@"; do
	files=("$a")
	if [ -d "$a" ]; then
		files=("$a"/*.tar)
	fi
	for f in "${files[@]}"; do
		[ -f "$f" ] || die "no such archive: $f"
		# By standard input, as the node does not see all of this machine's files.
		out=$(on_node ctr --namespace k8s.io images import --snapshotter overlayfs - <"$f" 2>&1) || die "import $f: $out"
		echo "loaded $f"
	done
done
