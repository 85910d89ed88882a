#!/usr/bin/env bash
# Copyright The Golden Image Authors.
# SPDX-License-Identifier: Apache-2.0

# registry.sh stop|start [open|private]: stops or starts one registry, without its name
# both. It returns when the registry refuses or accepts connections. What was pushed stays.
set -euo pipefail
. "$(dirname "$0")/lib.sh"
require_root
usage="usage: registry.sh stop|start [open|private]"
verb=${1:-}
case ${2:-} in
'') which=(open private) ;;
open | private) which=("$2") ;;
*) die "$usage" ;;
esac
node_pid >/dev/null || die "the cluster does not run; start it with up.sh"

# silent PORT: tells whether nothing listens there.
silent() {
	! listens $node_ip "$1"
}

for r in "${which[@]}"; do
	port=443
	[ "$r" = open ] || port=$private_port
	stopped=$run/stopped/registry-$r
	case $verb in
	stop)
		touch "$stopped" # keeps node.sh from starting it again
		on_node sh -c "kill -KILL \$(cat '$run/pids/registry-$r')" 2>/dev/null || true
		until_ok 20 silent $port || die "the $r registry still listens on $node_ip:$port"
		;;
	start)
		rm -f "$stopped"
		until_ok 20 listens $node_ip $port || die "the $r registry does not start; see $run/log/registry-$r.log"
		;;
	*) die "$usage" ;;
	esac
done
