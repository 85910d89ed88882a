// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"crypto/x509"
	"errors"
	"flag"
	"io/fs"
	"log"
	"net"
	"os"
	"path/filepath"
	"strings"
)

// options are the names and addresses that the certificates are for.
type options struct {
	node, nodeIP, serviceIP string
	registries              []string
}

func main() {
	log.SetFlags(0)
	var o options
	dir := flag.String("dir", "", "folder to write to")
	flag.StringVar(&o.node, "node", "node", "name of the node")
	flag.StringVar(&o.nodeIP, "node-ip", "", "address of the node, where the API server listens")
	flag.StringVar(&o.serviceIP, "service-ip", "", "first address of the service range")
	registries := flag.String("registries", "", "names and addresses of the image registries, separated by commas")
	flag.Parse()
	if *dir == "" || o.nodeIP == "" || o.serviceIP == "" || *registries == "" {
		flag.Usage()
		os.Exit(2)
	}
	o.registries = strings.Split(*registries, ",")
	if err := writeAll(folder(*dir), o); err != nil {
		log.Fatal(err)
	}
}

// writeAll writes all files and then, empty, the one that tells so.
func writeAll(dir folder, o options) error {
	const done = "complete"
	if _, err := os.Stat(filepath.Join(string(dir), done)); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := os.MkdirAll(string(dir), 0o700); err != nil {
		return err
	}
	err := errors.Join(
		writeCluster(dir, o),
		writePair(dir, "registry-ca", "registry", o.registries...),
		writePair(dir, "front-proxy-ca", "front-proxy-client"),
		writeServiceAccountKey(dir),
	)
	if err != nil {
		return err
	}
	return dir.write(done, nil)
}

// writeCluster writes what the cluster's own authority signs.
func writeCluster(dir folder, o options) error {
	ca, err := newAuthority(dir, "ca")
	if err != nil {
		return err
	}
	for _, c := range []subject{
		{file: "etcd", user: "etcd", hosts: []string{"127.0.0.1", "localhost"}},
		{file: "apiserver-etcd", user: "kube-apiserver"},
		{file: "apiserver", user: "kube-apiserver", hosts: []string{
			"127.0.0.1", "localhost", o.nodeIP, o.serviceIP, o.node,
			"kubernetes", "kubernetes.default", "kubernetes.default.svc", "kubernetes.default.svc.cluster.local",
		}},
		{file: "apiserver-kubelet", user: "kube-apiserver-kubelet-client", group: "system:masters"},
		{file: "kubelet-serving", user: "system:node:" + o.node, group: "system:nodes", hosts: []string{o.nodeIP, o.node}},
	} {
		if _, _, err := ca.issue(c); err != nil {
			return err
		}
	}
	server := "https://" + net.JoinHostPort(o.nodeIP, "6443")
	for _, c := range []subject{
		{file: "admin", user: "kubernetes-admin", group: "system:masters"},
		{file: "controller-manager", user: "system:kube-controller-manager"},
		{file: "scheduler", user: "system:kube-scheduler"},
		{file: "proxy", user: "system:kube-proxy"},
		{file: "kubelet", user: "system:node:" + o.node, group: "system:nodes"},
	} {
		if err := ca.kubeconfig(server, c); err != nil {
			return err
		}
	}
	return nil
}

// writePair writes an authority and the one certificate that it signs.
func writePair(dir folder, authority, name string, hosts ...string) error {
	ca, err := newAuthority(dir, authority)
	if err != nil {
		return err
	}
	_, _, err = ca.issue(subject{file: name, user: name, hosts: hosts})
	return err
}

func writeServiceAccountKey(dir folder) error {
	const name = "service-account"
	key, _, err := newKey(dir, name)
	if err != nil {
		return err
	}
	public, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		return err
	}
	return dir.write(name+".pub", encode("PUBLIC KEY", public))
}
