// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/container-storage-interface/spec/lib/go/csi"
	"golang.org/x/sys/unix"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

func (d *driver) NodeGetInfo(context.Context, *csi.NodeGetInfoRequest) (*csi.NodeGetInfoResponse, error) {
	return &csi.NodeGetInfoResponse{NodeId: d.node}, nil
}

func (d *driver) NodeGetCapabilities(context.Context, *csi.NodeGetCapabilitiesRequest) (*csi.NodeGetCapabilitiesResponse, error) {
	return &csi.NodeGetCapabilitiesResponse{Capabilities: []*csi.NodeServiceCapability{{
		Type: &csi.NodeServiceCapability_Rpc{Rpc: &csi.NodeServiceCapability_RPC{
			Type: csi.NodeServiceCapability_RPC_STAGE_UNSTAGE_VOLUME,
		}},
	}}}, nil
}

// NodeStageVolume makes a volume's device and mounts its file system at the staging
// path, once for all Pods of the node.
func (d *driver) NodeStageVolume(ctx context.Context, req *csi.NodeStageVolumeRequest) (*csi.NodeStageVolumeResponse, error) {
	it, data, err := d.store.load(volumes, req.GetVolumeId())
	if err != nil {
		return nil, err
	}
	if it.Block != (req.GetVolumeCapability().GetBlock() != nil) {
		return nil, status.Errorf(codes.InvalidArgument, "volume %q has the other mode", req.GetVolumeId())
	}
	device, err := attach(ctx, data)
	if err != nil || it.Block {
		return &csi.NodeStageVolumeResponse{}, err
	}
	target := req.GetStagingTargetPath()
	if err := unmount(target); err != nil { // of an attempt that was cut short
		return nil, err
	}
	if err := os.MkdirAll(target, 0o755); err != nil {
		return nil, err
	}
	// Without noinit_itable the kernel writes the inode tables in the background. With
	// discard what a Pod deletes leaves the sparse file.
	if err := unix.Mount(device, target, "ext4", 0, "noinit_itable,discard"); err != nil {
		return nil, fmt.Errorf("mount %s at %s: %w", device, target, err)
	}
	return &csi.NodeStageVolumeResponse{}, nil
}

func (d *driver) NodeUnstageVolume(ctx context.Context, req *csi.NodeUnstageVolumeRequest) (*csi.NodeUnstageVolumeResponse, error) {
	if err := unmount(req.GetStagingTargetPath()); err != nil {
		return nil, err
	}
	_, data, err := d.store.load(volumes, req.GetVolumeId())
	if status.Code(err) == codes.NotFound {
		return &csi.NodeUnstageVolumeResponse{}, nil
	} else if err != nil {
		return nil, err
	}
	return &csi.NodeUnstageVolumeResponse{}, detach(ctx, data)
}

// NodePublishVolume shows a staged volume to one Pod.
func (d *driver) NodePublishVolume(ctx context.Context, req *csi.NodePublishVolumeRequest) (*csi.NodePublishVolumeResponse, error) {
	_, data, err := d.store.load(volumes, req.GetVolumeId())
	if err != nil {
		return nil, err
	}
	source, target := req.GetStagingTargetPath(), req.GetTargetPath()
	if err := unmount(target); err != nil { // of an attempt that was cut short
		return nil, err
	}
	if req.GetVolumeCapability().GetBlock() == nil {
		err = os.MkdirAll(target, 0o755)
	} else if source, err = attach(ctx, data); err == nil {
		err = os.WriteFile(target, nil, 0o600)
	}
	if err != nil {
		return nil, err
	}
	if err := unix.Mount(source, target, "", unix.MS_BIND, ""); err != nil {
		return nil, fmt.Errorf("mount %s at %s: %w", source, target, err)
	}
	if req.GetReadonly() {
		if err := unix.Mount("", target, "", unix.MS_BIND|unix.MS_REMOUNT|unix.MS_RDONLY, ""); err != nil {
			return nil, fmt.Errorf("make %s read-only: %w", target, err)
		}
	}
	return &csi.NodePublishVolumeResponse{}, nil
}

func (d *driver) NodeUnpublishVolume(_ context.Context, req *csi.NodeUnpublishVolumeRequest) (*csi.NodeUnpublishVolumeResponse, error) {
	if err := unmount(req.GetTargetPath()); err != nil {
		return nil, err
	}
	// Remove, not RemoveAll: were it still mounted, that would empty the volume.
	if err := os.Remove(req.GetTargetPath()); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	return &csi.NodeUnpublishVolumeResponse{}, nil
}

// unmount unmounts all that is mounted at a path. It is no error if nothing is.
func unmount(target string) error {
	for {
		switch err := unix.Unmount(target, unix.UMOUNT_NOFOLLOW); {
		case err == nil:
		case errors.Is(err, unix.EINVAL), errors.Is(err, unix.ENOENT):
			return nil
		default:
			return fmt.Errorf("unmount %s: %w", target, err)
		}
	}
}

// attach returns the loop device of a file, a new one if it has none.
func attach(ctx context.Context, file string) (string, error) {
	have, err := attached(ctx, file)
	if err != nil {
		return "", err
	}
	if len(have) > 0 {
		return have[0], nil
	}
	return run(ctx, "losetup", "--find", "--show", file)
}

func detach(ctx context.Context, file string) error {
	have, err := attached(ctx, file)
	for _, device := range have {
		_, e := run(ctx, "losetup", "--detach", device)
		err = errors.Join(err, e)
	}
	return err
}

func attached(ctx context.Context, file string) ([]string, error) {
	out, err := run(ctx, "losetup", "--associated", file, "--noheadings", "--output", "NAME")
	return strings.Fields(out), err
}

// flush writes what Pods have written to a volume into its file: the pages of its
// device and, if it is mounted, those of the file system on it.
func flush(ctx context.Context, data string) error {
	have, err := attached(ctx, data)
	if err != nil || len(have) == 0 {
		return err
	}
	_, err = run(ctx, "blockdev", append([]string{"--flushbufs"}, have...)...)
	return err
}
