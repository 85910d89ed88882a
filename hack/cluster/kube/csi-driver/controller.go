// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"strconv"
	"time"

	"github.com/container-storage-interface/spec/lib/go/csi"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/timestamppb"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

// Sizes are rounded up to whole blocks of the file system; mkfs.ext4 needs some.
const (
	blockSize = 4 << 10
	leastSize = 1 << 20
)

func (d *driver) GetPluginInfo(context.Context, *csi.GetPluginInfoRequest) (*csi.GetPluginInfoResponse, error) {
	return &csi.GetPluginInfoResponse{Name: d.name, VendorVersion: "1"}, nil
}

func (d *driver) GetPluginCapabilities(context.Context, *csi.GetPluginCapabilitiesRequest) (*csi.GetPluginCapabilitiesResponse, error) {
	return &csi.GetPluginCapabilitiesResponse{Capabilities: []*csi.PluginCapability{{
		Type: &csi.PluginCapability_Service_{Service: &csi.PluginCapability_Service{
			Type: csi.PluginCapability_Service_CONTROLLER_SERVICE,
		}},
	}}}, nil
}

func (d *driver) Probe(context.Context, *csi.ProbeRequest) (*csi.ProbeResponse, error) {
	return &csi.ProbeResponse{Ready: wrapperspb.Bool(true)}, nil
}

func (d *driver) ControllerGetCapabilities(context.Context, *csi.ControllerGetCapabilitiesRequest) (*csi.ControllerGetCapabilitiesResponse, error) {
	resp := new(csi.ControllerGetCapabilitiesResponse)
	for _, c := range []csi.ControllerServiceCapability_RPC_Type{
		csi.ControllerServiceCapability_RPC_CREATE_DELETE_VOLUME,
		csi.ControllerServiceCapability_RPC_CREATE_DELETE_SNAPSHOT,
		csi.ControllerServiceCapability_RPC_CLONE_VOLUME,
	} {
		resp.Capabilities = append(resp.Capabilities, &csi.ControllerServiceCapability{
			Type: &csi.ControllerServiceCapability_Rpc{Rpc: &csi.ControllerServiceCapability_RPC{Type: c}},
		})
	}
	return resp, nil
}

// CreateVolume makes an empty volume, or a copy of the volume or snapshot that the
// request names. A copy may be larger than its source, not smaller.
func (d *driver) CreateVolume(ctx context.Context, req *csi.CreateVolumeRequest) (*csi.CreateVolumeResponse, error) {
	id := req.GetName()
	want := wanted(req)
	have, _, err := d.store.load(volumes, id)
	switch {
	case err == nil && (have.Block != want.Block || have.Size < want.Size):
		return nil, status.Errorf(codes.AlreadyExists, "volume %q differs", id)
	case err == nil:
		want = have
	case status.Code(err) != codes.NotFound:
		return nil, err
	default:
		from, err := d.source(ctx, want, req.GetVolumeContentSource())
		if err != nil {
			return nil, err
		}
		err = d.store.create(volumes, id, want, func(data string) error {
			return fill(ctx, want, from, data)
		})
		if err != nil {
			return nil, err
		}
	}
	return &csi.CreateVolumeResponse{Volume: &csi.Volume{
		VolumeId: id, CapacityBytes: want.Size, ContentSource: req.GetVolumeContentSource(),
	}}, nil
}

func wanted(req *csi.CreateVolumeRequest) *item {
	size := max(req.GetCapacityRange().GetRequiredBytes(), leastSize)
	it := &item{Size: (size + blockSize - 1) / blockSize * blockSize, Created: time.Now()}
	for _, c := range req.GetVolumeCapabilities() {
		it.Block = it.Block || c.GetBlock() != nil
	}
	return it
}

// source returns the path of the data that a volume starts with, "" if it starts empty.
func (d *driver) source(ctx context.Context, want *item, content *csi.VolumeContentSource) (string, error) {
	if content == nil {
		return "", nil
	}
	kind, id := volumes, content.GetVolume().GetVolumeId()
	if s := content.GetSnapshot(); s != nil {
		kind, id = snapshots, s.GetSnapshotId()
	}
	it, data, err := d.store.load(kind, id)
	if err != nil {
		return "", err
	}
	if it.Block != want.Block || it.Size > want.Size {
		return "", status.Errorf(codes.InvalidArgument, "a volume of %d bytes (block: %t) cannot hold a copy of %q of %d bytes (block: %t)",
			want.Size, want.Block, id, it.Size, it.Block)
	}
	return data, flush(ctx, data)
}

// fill writes the data of a new volume: a copy, or nothing, or an empty file system.
func fill(ctx context.Context, want *item, from, data string) error {
	if from != "" {
		if err := duplicate(ctx, from, data); err != nil {
			return err
		}
		return enlarge(ctx, want, data)
	}
	if err := os.WriteFile(data, nil, 0o600); err != nil {
		return err
	}
	if err := os.Truncate(data, want.Size); err != nil || want.Block {
		return err
	}
	// No blocks are kept back for root, as the kubelet has it for its own volumes.
	_, err := run(ctx, "mkfs.ext4", "-q", "-F", "-b", strconv.Itoa(blockSize), "-m", "0", "-E", "lazy_itable_init=1,lazy_journal_init=1", data)
	return err
}

// enlarge makes a copy as large as its volume, and the file system in it. That is done
// before it is mounted: a mounted one is enlarged only by who has CAP_SYS_RESOURCE.
func enlarge(ctx context.Context, want *item, data string) error {
	info, err := os.Stat(data)
	if err != nil || info.Size() == want.Size {
		return err
	}
	if err := os.Truncate(data, want.Size); err != nil || want.Block {
		return err
	}
	// The source may be in use, so the copy is as after a power failure: its journal is
	// replayed. Status 1 means that there was something to repair.
	if _, err := run(ctx, "e2fsck", "-f", "-y", data); err != nil {
		var exit *exec.ExitError
		if !errors.As(err, &exit) || exit.ExitCode() != 1 {
			return err
		}
	}
	_, err = run(ctx, "resize2fs", data)
	return err
}

// DeleteVolume refuses to delete a volume that is staged: without attachments nothing else
// keeps the provisioner from being faster than the kubelet, and its device would stay.
func (d *driver) DeleteVolume(ctx context.Context, req *csi.DeleteVolumeRequest) (*csi.DeleteVolumeResponse, error) {
	_, data, err := d.store.load(volumes, req.GetVolumeId())
	if status.Code(err) == codes.NotFound {
		return &csi.DeleteVolumeResponse{}, nil
	} else if err != nil {
		return nil, err
	}
	if devices, err := attached(ctx, data); err != nil {
		return nil, err
	} else if len(devices) > 0 {
		return nil, status.Errorf(codes.FailedPrecondition, "volume %q is in use as %s", req.GetVolumeId(), devices[0])
	}
	return &csi.DeleteVolumeResponse{}, d.store.remove(volumes, req.GetVolumeId())
}

func (d *driver) ValidateVolumeCapabilities(_ context.Context, req *csi.ValidateVolumeCapabilitiesRequest) (*csi.ValidateVolumeCapabilitiesResponse, error) {
	if _, _, err := d.store.load(volumes, req.GetVolumeId()); err != nil {
		return nil, err
	}
	return &csi.ValidateVolumeCapabilitiesResponse{Confirmed: &csi.ValidateVolumeCapabilitiesResponse_Confirmed{
		VolumeCapabilities: req.GetVolumeCapabilities(),
	}}, nil
}

func (d *driver) CreateSnapshot(ctx context.Context, req *csi.CreateSnapshotRequest) (*csi.CreateSnapshotResponse, error) {
	id, source := req.GetName(), req.GetSourceVolumeId()
	it, _, err := d.store.load(snapshots, id)
	switch {
	case err == nil && it.Source != source:
		return nil, status.Errorf(codes.AlreadyExists, "snapshot %q is of another volume", id)
	case err == nil:
	case status.Code(err) != codes.NotFound:
		return nil, err
	default:
		if it, err = d.snapshot(ctx, id, source); err != nil {
			return nil, err
		}
	}
	return &csi.CreateSnapshotResponse{Snapshot: &csi.Snapshot{
		SnapshotId: id, SourceVolumeId: it.Source, SizeBytes: it.Size,
		CreationTime: timestamppb.New(it.Created), ReadyToUse: true,
	}}, nil
}

func (d *driver) snapshot(ctx context.Context, id, source string) (*item, error) {
	volume, from, err := d.store.load(volumes, source)
	if err != nil {
		return nil, err
	}
	if err := flush(ctx, from); err != nil {
		return nil, err
	}
	it := &item{Size: volume.Size, Block: volume.Block, Source: source, Created: time.Now()}
	return it, d.store.create(snapshots, id, it, func(data string) error {
		return duplicate(ctx, from, data)
	})
}

func (d *driver) DeleteSnapshot(_ context.Context, req *csi.DeleteSnapshotRequest) (*csi.DeleteSnapshotResponse, error) {
	return &csi.DeleteSnapshotResponse{}, d.store.remove(snapshots, req.GetSnapshotId())
}
