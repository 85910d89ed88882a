# Copyright The Golden Image Authors.
# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2034 # the scripts that source this use these

# Settings and functions that the cluster's scripts share; sourced by them.

die() {
	echo "${0##*/}: $*" >&2
	exit 1
}

[ "$(uname -s)" = Linux ] || die "the local cluster runs on Linux only; this is $(uname -s)"

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/golden-image

# What build.sh makes is kept per set of modules, so that it is paid for once on a machine.
cache=$root/$(cat "$here"/kube/go.sum "$here"/node/go.sum | sha256sum | cut -c1-12)
built=$cache/bin

# The running cluster, of which a machine has one at a time. Its links to the binaries
# outlive a change of the modules.
run=$root/run
bin=$run/bin
pki=$run/pki
pidfile=$run/node.pid

node_name=golden-image-node
host_link=gi-host # this machine's end of the link to the node
node_link=gi-node
host_ip=10.213.0.2
node_ip=10.213.0.1
pod_cidr=10.214.0.0/24
service_cidr=10.215.0.0/16
service_ip=10.215.0.1 # of the Service "kubernetes"
cgroup=golden-image

# The registries: what they are called, and where they listen.
open_registries=(quay.io registry.golden-image.test)
private_registry=private.golden-image.test
private_port=5443

require_root() {
	[ "$(id -u)" = 0 ] || die "needs root: it makes namespaces, mounts and network links"
}

# lock FILE: waits until no other script holds the lock, and holds it until this one ends.
lock() {
	mkdir -p "$(dirname "$1")"
	exec 9>"$1"
	flock 9
}

# node_pid prints the process id of the node's first process, if that runs.
node_pid() {
	local pid started
	[ -f "$pidfile" ] || return 1
	read -r pid started <"$pidfile" || return 1
	[ -n "$started" ] && [ "$(start_time "$pid")" = "$started" ] && echo "$pid"
}

# start_time prints when a process started, so that a reused id is not mistaken; nothing
# if it is gone or a zombie.
start_time() {
	sed 's/.*) //' "/proc/$1/stat" 2>/dev/null | awk '$1 != "Z" {print $20}'
}

# on_node COMMAND...: runs a command in the node's namespaces.
on_node() {
	local pid
	pid=$(node_pid) || die "the cluster does not run; start it with up.sh"
	PATH=$bin:$PATH nsenter --target "$pid" --mount --net --pid --ipc -- "$@"
}

# listens ADDRESS PORT: tells whether a server accepts connections there.
listens() {
	timeout 1 bash -c "</dev/tcp/$1/$2" 2>/dev/null
}

# until_ok SECONDS COMMAND...: repeats a command until it succeeds, and fails after that time.
until_ok() {
	local end=$((SECONDS + $1))
	shift
	until "$@" >/dev/null 2>&1; do
		[ $SECONDS -lt $end ] || return 1
		sleep 0.1
	done
}
