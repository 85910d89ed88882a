#!/usr/bin/env bash
# Copyright The Golden Image Authors.
# SPDX-License-Identifier: Apache-2.0

# The node's first process. up.sh starts it in mount, network, process and IPC namespaces
# of its own, so that all that the cluster does (mounts, bridges, packet rules, containers)
# goes away with it. Not to be run by hand. It is functions throughout: bash has read all
# of it before it runs, so that the file may change meanwhile.
set -Eeuo pipefail
trap 'echo "node.sh:$LINENO: $BASH_COMMAND: failed" >&2' ERR
. "$(dirname "$0")/lib.sh"
. "$here/node-config.sh"
export PATH=$bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
etc=$run/etc
log=$run/log
fs=$run/fs

# mount_state mounts the file system that holds all that grows, and what the components
# keep at well-known places. Its copies of a file share the data (reflink).
mount_state() {
	local d
	mkdir -p "$etc/cni" "$etc/registries" "$log" "$run/static-pods" "$run/pids" "$run/stopped" "$run/registry" "$fs"
	mount --make-rshared /
	truncate -s 64G "$run/disk.img"
	mkfs.xfs -q -m reflink=1 "$run/disk.img"
	mount -o loop "$run/disk.img" "$fs"
	mount -t tmpfs tmpfs /run
	mkdir -p /run/lock
	for d in /var/lib/kubelet /var/lib/containerd /var/lib/cni /var/log/pods /var/log/containers; do
		mkdir -p "$d" "$fs$d"
		mount --bind "$fs$d" "$d"
		mount --make-rshared "$d"
	done
}

# fake_sysctl NAME VALUE: the kubelet insists on some kernel settings. They are the whole
# machine's: it is shown the value that it wants, and the machine keeps its own.
fake_sysctl() {
	echo "$2" >"$etc/${1//\//.}"
	mount --bind "$etc/${1//\//.}" "/proc/sys/$1"
}

fake_sysctls() {
	fake_sysctl vm/overcommit_memory 1
	fake_sysctl vm/panic_on_oom 0
	fake_sysctl kernel/panic 10
	fake_sysctl kernel/panic_on_oops 1
	fake_sysctl kernel/keys/root_maxkeys 1000000
	fake_sysctl kernel/keys/root_maxbytes 25000000
}

# make_cgroups makes the control group that the kubelet's are below: one, or one for each
# controller where those have hierarchies of their own (version 1).
make_cgroups() {
	local c d f controllers
	if [ -f /sys/fs/cgroup/cgroup.controllers ]; then
		read -ra controllers </sys/fs/cgroup/cgroup.controllers
		for c in "${controllers[@]}"; do
			echo "+$c" >/sys/fs/cgroup/cgroup.subtree_control || true # some allow no groups
		done
		mkdir -p "/sys/fs/cgroup/$cgroup"
		return
	fi
	for c in /sys/fs/cgroup/*/cgroup.procs; do
		d=${c%/*}/$cgroup
		mkdir -p "$d"
		# A cpuset group takes no process until it has processors and memory.
		for f in cpuset.cpus cpuset.mems; do
			[ ! -f "$d/$f" ] || cat "${c%/*}/$f" >"$d/$f"
		done
	done
}

# join_network: no default route, the node reaches this machine and nothing beyond it.
join_network() {
	ip link set lo up
	# up.sh may have been killed before it made the link.
	until_ok 20 ip link show $node_link || die "the link to this machine did not appear"
	ip address add $node_ip/30 dev $node_link
	ip link set $node_link up
	ip route add $service_cidr dev $node_link
	echo 1 >/proc/sys/net/ipv4/ip_forward
}

# keep NAME COMMAND...: runs COMMAND, and again whenever it ends, unless $run/stopped/NAME
# is there.
keep() {
	local name=$1
	shift
	while :; do
		while [ -e "$run/stopped/$name" ]; do sleep 0.2; done
		"$@" >>"$log/$name.log" 2>&1 &
		echo $! >"$run/pids/$name"
		wait $! || true
		sleep 1
	done &
}

start_registries() {
	registry user -dir "$run/registry" -name puller
	registry_config open 443
	registry_config private $private_port
	export OTEL_TRACES_EXPORTER=none
	keep registry-open registry serve "$etc/registry-open.yaml"
	keep registry-private registry serve "$etc/registry-private.yaml"
}

# run_etcd: it does not wait for the disk, as the cluster need not outlive the machine. A
# benchmark, which compares it with one that does, leaves a file that has it wait too.
run_etcd() {
	local fsync=--unsafe-no-fsync
	[ ! -e "$run/etcd-fsync" ] || fsync=
	# shellcheck disable=SC2086 # no flag or one
	exec etcd --name=$node_name --data-dir="$fs/etcd" $fsync \
		--listen-client-urls=https://127.0.0.1:2379 --advertise-client-urls=https://127.0.0.1:2379 \
		--listen-peer-urls=http://127.0.0.1:2380 --initial-advertise-peer-urls=http://127.0.0.1:2380 \
		--initial-cluster=$node_name=http://127.0.0.1:2380 \
		--cert-file="$pki/etcd.crt" --key-file="$pki/etcd.key" \
		--client-cert-auth --trusted-ca-file="$pki/ca.crt" --log-level=warn
}

start_etcd() {
	keep etcd run_etcd
	until_ok 60 listens 127.0.0.1 2379
}

start_apiserver() {
	# shellcheck disable=SC2086 # the extra flags are words
	keep kube-apiserver kube-apiserver \
		--advertise-address=$node_ip --secure-port=6443 \
		--etcd-servers=https://127.0.0.1:2379 --etcd-cafile="$pki/ca.crt" \
		--etcd-certfile="$pki/apiserver-etcd.crt" --etcd-keyfile="$pki/apiserver-etcd.key" \
		--tls-cert-file="$pki/apiserver.crt" --tls-private-key-file="$pki/apiserver.key" \
		--client-ca-file="$pki/ca.crt" \
		--kubelet-certificate-authority="$pki/ca.crt" \
		--kubelet-preferred-address-types=InternalIP \
		--kubelet-client-certificate="$pki/apiserver-kubelet.crt" --kubelet-client-key="$pki/apiserver-kubelet.key" \
		--service-cluster-ip-range=$service_cidr \
		--service-account-issuer=https://kubernetes.default.svc.cluster.local \
		--service-account-key-file="$pki/service-account.pub" \
		--service-account-signing-key-file="$pki/service-account.key" \
		--authorization-mode=Node,RBAC --enable-admission-plugins=NodeRestriction --allow-privileged \
		--enable-aggregator-routing \
		--requestheader-client-ca-file="$pki/front-proxy-ca.crt" --requestheader-allowed-names=front-proxy-client \
		--requestheader-extra-headers-prefix=X-Remote-Extra- --requestheader-group-headers=X-Remote-Group \
		--requestheader-username-headers=X-Remote-User \
		--proxy-client-cert-file="$pki/front-proxy-client.crt" --proxy-client-key-file="$pki/front-proxy-client.key" \
		${GOLDEN_IMAGE_APISERVER_FLAGS:-}
	until_ok 120 kubectl get --raw /readyz
}

start_controllers() {
	keep kube-controller-manager kube-controller-manager --leader-elect=false \
		--kubeconfig="$pki/controller-manager.kubeconfig" \
		--authentication-kubeconfig="$pki/controller-manager.kubeconfig" \
		--authorization-kubeconfig="$pki/controller-manager.kubeconfig" \
		--use-service-account-credentials --root-ca-file="$pki/ca.crt" \
		--service-account-private-key-file="$pki/service-account.key" \
		--cluster-signing-cert-file="$pki/ca.crt" --cluster-signing-key-file="$pki/ca.key" \
		--service-cluster-ip-range=$service_cidr
	keep kube-scheduler kube-scheduler --leader-elect=false --kubeconfig="$pki/scheduler.kubeconfig" \
		--authentication-kubeconfig="$pki/scheduler.kubeconfig" --authorization-kubeconfig="$pki/scheduler.kubeconfig"
}

start_kubelet() {
	local i
	until_ok 60 ctr version
	for i in "$run"/images/*.tar; do
		ctr --namespace k8s.io images import --snapshotter overlayfs "$i" >>"$log/images.log" 2>&1
	done
	kubelet_config
	keep kubelet kubelet --config="$etc/kubelet.yaml" --kubeconfig="$pki/kubelet.kubeconfig" \
		--hostname-override=$node_name --node-ip=$node_ip
	proxy_config
	keep kube-proxy kube-proxy --config="$etc/proxy.yaml"
}

# start_storage: the provisioners run beside Kubernetes, not in Pods, with the
# administrator's rights.
start_storage() {
	local name=csi.golden-image.test plain=golden-image.test/plain-hostpath
	local socket=/var/lib/kubelet/plugins/$name/csi.sock
	local retry=(--retry-interval-start=200ms --retry-interval-max=5s)
	{
		kubectl apply -f "$run/manifests/"
		kubectl wait --for=condition=Established --timeout=60s -f "$run/manifests/"
		kubectl apply -f "$here/manifests"
	} >>"$log/manifests.log" 2>&1
	mkdir -p "$fs/csi" "$fs/plain" /var/lib/kubelet/plugins_registry
	keep csi-driver csi-driver -name $name -node $node_name -dir "$fs/csi" -endpoint $socket
	keep csi-registrar csi-registrar -driver $name -endpoint $socket
	keep csi-provisioner csi-provisioner --kubeconfig="$KUBECONFIG" --csi-address=$socket "${retry[@]}"
	keep csi-snapshotter csi-snapshotter --kubeconfig="$KUBECONFIG" --csi-address=$socket "${retry[@]}" \
		--feature-gates=CSIVolumeGroupSnapshot=false
	keep snapshot-controller snapshot-controller --kubeconfig="$KUBECONFIG" "${retry[@]}" \
		--feature-gates=CSIVolumeGroupSnapshot=false
	keep plain-provisioner plain-provisioner -kubeconfig "$KUBECONFIG" -name $plain -node $node_name -dir "$fs/plain"
}

main() {
	mount_state
	fake_sysctls
	make_cgroups
	join_network
	dns_config
	keep dnsmasq dnsmasq --keep-in-foreground --conf-file="$etc/dnsmasq.conf" --log-facility=-
	start_registries
	containerd_config
	cni_config
	keep containerd containerd --config "$etc/containerd.toml"
	export KUBECONFIG=$pki/admin.kubeconfig
	start_etcd
	start_apiserver
	start_controllers
	start_kubelet
	start_storage
	touch "$run/started"
	# bash reaps the shims' orphans while it waits.
	wait
	exit
}

main
