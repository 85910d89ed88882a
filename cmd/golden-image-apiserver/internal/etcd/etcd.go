// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package etcd

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"go.etcd.io/etcd/server/v3/embed"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"golang.org/x/sys/unix"

	"k8s.io/klog/v2"
)

// Bounds of the database.
const (
	// quota is the size in bytes at which writes are refused: less than the volume of the
	// manifests, so that the disk is not filled. A golden image's objects take some 20 KB.
	quota = 1 << 30
	// compaction is how long old revisions are kept beyond what the API server compacts.
	compaction = "30m"
)

// A Server is a running etcd.
type Server struct {
	etcd  *embed.Etcd
	level zap.AtomicLevel
	lock  *os.File
	// Endpoint is the URL that clients use.
	Endpoint string
}

// Start runs an etcd that keeps its data in dir and returns when it serves. It fails if it
// does not before ctx is done, or if another process uses dir.
func Start(ctx context.Context, dir string) (*Server, error) {
	config := embed.NewConfig()
	config.Name = "golden-image"
	config.Dir = filepath.Join(dir, "etcd")
	if err := os.MkdirAll(config.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("create the data directory of etcd: %w", err)
	}
	// The mode of a directory guards the sockets in it.
	sockets := filepath.Join(dir, "run")
	if err := os.MkdirAll(sockets, 0o700); err != nil {
		return nil, fmt.Errorf("create the directory of etcd's sockets: %w", err)
	}
	lock, err := lockFile(filepath.Join(dir, "lock"))
	if err != nil {
		return nil, err
	}
	clientPath, peerPath := filepath.Join(sockets, "client"), filepath.Join(sockets, "peer")
	for _, path := range []string{clientPath, peerPath} {
		// A socket that a killed process left behind would be in the way.
		if err := os.Remove(path); err != nil && !os.IsNotExist(err) {
			return nil, fmt.Errorf("remove the old socket of etcd: %w", err)
		}
	}
	client := url.URL{Scheme: "unix", Path: clientPath}
	// For a peer etcd listens at the host part alone; without one the socket would be
	// abstract, and open to every process of the network namespace.
	peer := url.URL{Scheme: "unix", Host: peerPath}
	config.ListenClientUrls, config.AdvertiseClientUrls = []url.URL{client}, []url.URL{client}
	config.ListenPeerUrls = []url.URL{peer}
	// It is never dialled: there is one member. etcd wants an address that looks like one.
	config.AdvertisePeerUrls = []url.URL{{Scheme: "http", Host: "localhost:2380"}}
	config.InitialCluster = config.InitialClusterFromName(config.Name)
	config.QuotaBackendBytes = quota
	config.AutoCompactionMode = embed.CompactorModePeriodic
	config.AutoCompactionRetention = compaction
	level := zap.NewAtomicLevelAt(zapcore.WarnLevel)
	config.ZapLoggerBuilder = embed.NewZapLoggerBuilder(newLogger(level))

	server, err := embed.StartEtcd(config)
	if err != nil {
		_ = lock.Close()
		return nil, fmt.Errorf("start etcd in %s: %w", config.Dir, err)
	}
	begin := time.Now()
	select {
	case <-server.Server.ReadyNotify():
		klog.FromContext(ctx).V(2).Info("Embedded etcd is ready", "dir", config.Dir, "after", time.Since(begin))
		return &Server{etcd: server, level: level, lock: lock, Endpoint: client.String()}, nil
	case err := <-server.Err():
		server.Close()
		_ = lock.Close()
		return nil, fmt.Errorf("etcd in %s ended: %w", config.Dir, err)
	case <-ctx.Done():
		server.Close()
		_ = lock.Close()
		return nil, fmt.Errorf("etcd in %s is not ready: %w", config.Dir, context.Cause(ctx))
	}
}

// Failed delivers the error that ends etcd, if one does.
func (s *Server) Failed() <-chan error { return s.etcd.Err() }

// Close ends etcd after what it has written is on disk.
func (s *Server) Close() {
	// It calls its own closed listeners errors.
	s.level.SetLevel(zapcore.FatalLevel)
	s.etcd.Close()
	_ = s.lock.Close()
}

// lockFile holds a lock until the file is closed or the process ends. Two processes would
// take each other's sockets away before etcd notices.
func lockFile(path string) (*os.File, error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open the lock of etcd's data: %w", err)
	}
	if err := unix.Flock(int(file.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		_ = file.Close()
		return nil, fmt.Errorf("lock %s, which another process may hold: %w", path, err)
	}
	return file, nil
}

func newLogger(level zap.AtomicLevel) *zap.Logger {
	encoder := zapcore.NewJSONEncoder(zap.NewProductionEncoderConfig())
	return zap.New(zapcore.NewCore(encoder, zapcore.Lock(os.Stderr), level))
}
