// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"flag"
	"io/fs"
	"log"
	"net"
	"os"
	"path/filepath"
	"sync"

	"github.com/container-storage-interface/spec/lib/go/csi"
	"google.golang.org/grpc"
)

// driver answers one call at a time.
type driver struct {
	csi.UnimplementedIdentityServer
	csi.UnimplementedControllerServer
	csi.UnimplementedNodeServer

	name, node string
	store      store
	mu         sync.Mutex
}

func main() {
	d := &driver{}
	socket := flag.String("endpoint", "", "path of the socket to serve")
	flag.StringVar(&d.name, "name", "", "name of the driver")
	flag.StringVar(&d.node, "node", "", "name of the node")
	dir := flag.String("dir", "", "folder to keep volumes and snapshots in")
	flag.Parse()
	d.store = store(*dir)
	if err := serve(d, *socket); err != nil {
		log.Fatal(err)
	}
}

func serve(d *driver, socket string) error {
	for _, dir := range []string{filepath.Dir(socket), filepath.Join(string(d.store), volumes), filepath.Join(string(d.store), snapshots)} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
	}
	// A killed process leaves its socket behind.
	if err := os.Remove(socket); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	listener, err := net.Listen("unix", socket)
	if err != nil {
		return err
	}
	server := grpc.NewServer(grpc.UnaryInterceptor(d.oneByOne))
	csi.RegisterIdentityServer(server, d)
	csi.RegisterControllerServer(server, d)
	csi.RegisterNodeServer(server, d)
	return server.Serve(listener)
}

// oneByOne runs the calls one after the other and logs those that fail.
func (d *driver) oneByOne(ctx context.Context, req any, info *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (any, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	resp, err := handler(ctx, req)
	if err != nil {
		log.Printf("%s: %v", info.FullMethod, err)
	}
	return resp, err
}
