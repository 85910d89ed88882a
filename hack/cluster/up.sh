#!/usr/bin/env bash
# Copyright The Golden Image Authors.
# SPDX-License-Identifier: Apache-2.0

# Starts the cluster that build.sh built and returns when its node is ready. If the
# cluster runs it only waits for that. It clears away what is left of a cluster that was
# killed.
set -euo pipefail
. "$(dirname "$0")/lib.sh"
require_root
lock "$root/lock"
begin=$SECONDS

# start makes the node's namespaces and its first process, and records that one.
start() {
	[ -f "$cache/stamps/kube" ] || die "not built; run build.sh first"
	GOLDEN_IMAGE_LOCKED=1 "$here/down.sh"
	! ip link show $host_link >/dev/null 2>&1 ||
		die "the network link $host_link is there: does a cluster of another user or cache folder run?"
	mkdir -p "$run"
	chmod 700 "$run"
	ln -s "$built" "$bin"
	ln -s "$cache/images" "$cache/manifests" "$run/"
	cp -r "$cache/stamps" "$run/stamps"
	local outer pid names
	names=$(IFS=, && echo "${open_registries[*]}")
	"$bin/certs" -dir "$pki" -node $node_name -node-ip $node_ip -service-ip $service_ip \
		-registries "$names,$private_registry,$node_ip"

	env -i PATH="$PATH" HOME="${HOME:-/root}" XDG_CACHE_HOME="${root%/golden-image}" \
		GOLDEN_IMAGE_APISERVER_FLAGS="${GOLDEN_IMAGE_APISERVER_FLAGS:-}" \
		setsid unshare --mount --net --pid --ipc --fork --mount-proc --kill-child \
		"$here/node.sh" </dev/null >"$run/node.log" 2>&1 9>&- &
	outer=$!
	until pid=$(cat /proc/$outer/task/$outer/children 2>/dev/null) && [ -n "$pid" ]; do
		kill -0 $outer 2>/dev/null || die "the node did not start: $(cat "$run/node.log")"
		sleep 0.05
	done
	pid=${pid// /}
	echo "$pid $(start_time "$pid")" >"$pidfile.new"
	mv "$pidfile.new" "$pidfile"
}

# link joins this machine and the node, unless they are.
link() {
	local r
	# The node waits for its end before it starts anything.
	ip link show $host_link >/dev/null 2>&1 ||
		ip link add $host_link type veth peer name $node_link netns "$(node_pid)"
	ip address replace $host_ip/30 dev $host_link
	ip link set $host_link up
	for r in $pod_cidr $service_cidr; do
		ip route replace "$r" via $node_ip dev $host_link
	done
}

# ready tells whether Pods can be created and their volumes provisioned.
ready() {
	node_pid && [ -f "$run/started" ] &&
		"$bin/kubectl" wait node/$node_name --for=condition=Ready --timeout=10s &&
		"$bin/kubectl" get serviceaccount default &&
		"$bin/kubectl" get csinode $node_name -o jsonpath="{.spec.drivers[*].name}" | grep -q . &&
		listens $node_ip 443 && listens $node_ip $private_port
}

started=
if node_pid >/dev/null; then
	diff -r "$cache/stamps" "$run/stamps" >/dev/null ||
		echo "note: the cluster that runs was built from other sources; down.sh and up.sh change that"
	link || ! node_pid >/dev/null || die "cannot link this machine to the node"
fi
export KUBECONFIG=$pki/admin.kubeconfig
until ready >/dev/null 2>&1; do
	# The node that was found may be ending; one that was started here may not.
	if ! node_pid >/dev/null; then
		[ -z "$started" ] || die "the node ended: $(tail -n 5 "$run/node.log"); see $run/log"
		start
		started=yes
		link
	fi
	[ $((SECONDS - begin)) -lt 180 ] || die "the cluster is not ready after 180 s; see $run/node.log and $run/log"
	sleep 0.2
done
echo "cluster ready after $((SECONDS - begin)) s; KUBECONFIG=$KUBECONFIG"
