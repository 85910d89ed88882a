#!/usr/bin/env bash
# Copyright The Golden Image Authors.
# SPDX-License-Identifier: Apache-2.0

# Tells what the cluster is and how its parts are. It ends with 0 if all of them run, 1 if
# some do not, 3 if there is no cluster.
set -euo pipefail
. "$(dirname "$0")/lib.sh"
require_root
if ! pid=$(node_pid); then
	echo "the cluster does not run"
	exit 3
fi
code=0
# Process ids are the node's own: enter.sh shows them.
# shellcheck disable=SC2016 # for the shell on the node
report=$(on_node sh -c '
	for f in "$1"/pids/*; do
		name=${f##*/} pid=$(cat "$f") state=down
		[ ! -e "$1/stopped/$name" ] || state=stopped
		[ ! -d "/proc/$pid" ] || state=runs
		printf "%-26s %-8s pid %s\n" "$name" "$state" "$pid"
	done' sh "$run")
node=$("$bin/kubectl" --kubeconfig "$pki/admin.kubeconfig" --request-timeout=5s get node $node_name --no-headers 2>&1) || code=1
case $report in *" down "* | *" stopped "*) code=1 ;; esac
case $node in *" Ready "*) ;; *) code=1 ;; esac
cat <<END
node        $node
first pid   $pid, $(($(ps -o etimes= -p "$pid"))) s
kubeconfig  $pki/admin.kubeconfig
state       $run (log/, pki/, pids/)
addresses   node $node_ip, this machine $host_ip, Pods $pod_cidr, Services $service_cidr
registries  ${open_registries[*]} ($node_ip:443); $private_registry:$private_port
            CA $pki/registry-ca.crt, user of the private one $run/registry/puller.password

$report
END
exit $code
