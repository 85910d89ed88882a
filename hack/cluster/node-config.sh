# Copyright The Golden Image Authors.
# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2154 # node.sh, which sources this, sets them

# The configuration files of the node's components.

containerd_config() {
	cat >"$etc/containerd.toml" <<-END
		version = 3
		root = '/var/lib/containerd'
		state = '/run/containerd'
		[grpc]
		  address = '/run/containerd/containerd.sock'
		[plugins.'io.containerd.cri.v1.images']
		  snapshotter = 'overlayfs'
		  [plugins.'io.containerd.cri.v1.images'.pinned_images]
		    sandbox = 'golden-image.test/pause:1'
		  [plugins.'io.containerd.cri.v1.images'.registry]
		    config_path = '$etc/registries'
		[plugins.'io.containerd.cri.v1.runtime']
		  # Else a Pod that is not root may not open its block volumes.
		  device_ownership_from_security_context = true
		  # Without CAP_SYS_RESOURCE a process cannot lower its score.
		  restrict_oom_score_adj = true
		[plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc]
		  runtime_type = 'io.containerd.runc.v2'
		  [plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc.options]
		    SystemdCgroup = false
		[plugins.'io.containerd.cri.v1.runtime'.cni]
		  bin_dirs = ['$bin/cni']
		  conf_dir = '$etc/cni'
	END
	local r
	for r in "${open_registries[@]}"; do
		mirror "$r" "$node_ip"
	done
	mirror "$private_registry:$private_port" "$node_ip:$private_port"
}

# mirror REGISTRY ADDRESS: has containerd pull a registry's images from ADDRESS, as the
# nodes of a site without Internet do. "server" keeps it from trying the real one after.
mirror() {
	mkdir -p "$etc/registries/$1"
	cat >"$etc/registries/$1/hosts.toml" <<-END
		server = 'https://$2'
		ca = '$pki/registry-ca.crt'
		[host.'https://$2']
		  capabilities = ['pull', 'resolve']
		  ca = '$pki/registry-ca.crt'
	END
}

cni_config() {
	cat >"$etc/cni/10-golden-image.conflist" <<-END
		{
		  "cniVersion": "1.0.0",
		  "name": "golden-image",
		  "plugins": [{
		    "type": "bridge",
		    "bridge": "gi-pods",
		    "isGateway": true,
		    "hairpinMode": true,
		    "ipam": {
		      "type": "host-local",
		      "ranges": [[{"subnet": "$pod_cidr"}]],
		      "routes": [{"dst": "0.0.0.0/0"}]
		    }
		  }]
		}
	END
}

# Answers for the registries and for nothing else: there is nobody to ask.
dns_config() {
	local r
	cat >"$etc/dnsmasq.conf" <<-END
		bind-interfaces
		listen-address=$node_ip
		user=root
		no-resolv
		no-hosts
		address=/#/
		host-record=kubernetes.default.svc.cluster.local,$service_ip
	END
	for r in "${open_registries[@]}" $private_registry; do
		echo "host-record=$r,$node_ip"
	done >>"$etc/dnsmasq.conf"
	echo "nameserver $node_ip" >"$etc/resolv.conf"
}

# registry_config NAME PORT: configures one of the registries.
registry_config() {
	cat >"$etc/registry-$1.yaml" <<-END
		version: 0.1
		log: {level: warn}
		storage:
		  filesystem: {rootdirectory: $fs/registry-$1}
		  delete: {enabled: true}
		  cache: {blobdescriptor: inmemory}
		http:
		  addr: $node_ip:$2
		  tls: {certificate: $pki/registry.crt, key: $pki/registry.key}
	END
	if [ "$1" = private ]; then
		echo "auth: {htpasswd: {realm: $1, path: $run/registry/htpasswd}}" >>"$etc/registry-$1.yaml"
	fi
}

kubelet_config() {
	cat >"$etc/kubelet.yaml" <<-END
		apiVersion: kubelet.config.k8s.io/v1beta1
		kind: KubeletConfiguration
		address: $node_ip
		authentication:
		  anonymous: {enabled: false}
		  webhook: {enabled: true}
		  x509: {clientCAFile: $pki/ca.crt}
		authorization: {mode: Webhook}
		cgroupDriver: cgroupfs
		cgroupRoot: /$cgroup
		clusterDNS: [$node_ip]
		clusterDomain: cluster.local
		containerRuntimeEndpoint: unix:///run/containerd/containerd.sock
		evictionHard: {}
		enforceNodeAllocatable: [pods]
		failCgroupV1: false
		failSwapOn: false
		imageGCHighThresholdPercent: 100
		imageMaximumGCAge: 0s
		# Else an imported image counts as private once the same was pulled by another name.
		imagePullCredentialsVerificationPolicy: NeverVerify
		localStorageCapacityIsolation: false
		maxOpenFiles: 20000
		makeIPTablesUtilChains: false
		nodeStatusUpdateFrequency: 5s
		registerNode: true
		resolvConf: $etc/resolv.conf
		serializeImagePulls: false
		staticPodPath: $run/static-pods
		syncFrequency: 10s
		tlsCertFile: $pki/kubelet-serving.crt
		tlsPrivateKeyFile: $pki/kubelet-serving.key
		volumePluginDir: $fs/volume-plugins
	END
}

proxy_config() {
	cat >"$etc/proxy.yaml" <<-END
		apiVersion: kubeproxy.config.k8s.io/v1alpha1
		kind: KubeProxyConfiguration
		mode: nftables
		clientConnection: {kubeconfig: $pki/proxy.kubeconfig}
		clusterCIDR: $pod_cidr
		hostnameOverride: $node_name
		bindAddress: $node_ip
		nodePortAddresses: [primary]
		conntrack: {maxPerCore: 0, min: 0, tcpEstablishedTimeout: 0s, tcpCloseWaitTimeout: 0s}
	END
}
