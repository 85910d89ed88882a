// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package pvc

import (
	"context"
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	corelisters "k8s.io/client-go/listers/core/v1"
	"k8s.io/client-go/tools/cache"

	"goldenimage.dev/pkg/apis/cdi/v1beta1"
	cdilisters "goldenimage.dev/pkg/generated/listers/cdi/v1beta1"
	"goldenimage.dev/pkg/sources"
)

// DigestPrefix is what a claim's UID has before it in a digest.
const DigestPrefix = "uid:"

// Config is what a Resolver is made from. All fields are required.
type Config struct {
	Claims  corelisters.PersistentVolumeClaimLister
	Volumes cdilisters.DataVolumeLister
	// Synced tell whether the listers hold everything; until they do, Resolve waits.
	Synced []cache.InformerSynced
	// Complete tells whether a claim holds a whole image. The DataVolume is the one of the
	// claim's name, nil if there is none.
	Complete func(volume *v1beta1.DataVolume, claim *corev1.PersistentVolumeClaim) bool
}

// A Resolver finds out which claim there is. Make one with NewResolver.
type Resolver struct {
	config Config
}

var _ sources.Resolver = (*Resolver)(nil)

// NewResolver returns a Resolver, which is safe for concurrent use.
func NewResolver(config Config) *Resolver {
	return &Resolver{config: config}
}

// Resolve returns uid:<uid> of the claim that location, namespace/name, names now. A claim that
// is not complete, or on its way out, is a transient error. All errors are sources.Errors.
func (r *Resolver) Resolve(ctx context.Context, query sources.Query) (sources.Revision, error) {
	location := query.Location
	namespace, name, ok := strings.Cut(location, "/")
	if !ok || namespace == "" || name == "" || strings.Contains(name, "/") {
		return sources.Revision{}, sources.Errorf(sources.Invalid, "%.300q does not name a PVC: give its namespace and name", location)
	}
	if err := ctx.Err(); err != nil {
		return sources.Revision{}, sources.Errorf(sources.Transient, "look for PVC %s: %w", location, err)
	}
	if !cache.WaitForCacheSync(ctx.Done(), r.config.Synced...) {
		return sources.Revision{}, sources.Errorf(sources.Transient, "look for PVC %s: the server does not know yet which PVCs there are: %w", location, context.Cause(ctx))
	}
	claim, err := r.config.Claims.PersistentVolumeClaims(namespace).Get(name)
	if apierrors.IsNotFound(err) {
		return sources.Revision{}, sources.Errorf(sources.NotFound, "PVC %s does not exist: create it", location)
	}
	if err != nil {
		return sources.Revision{}, sources.Errorf(sources.Transient, "get PVC %s: %w", location, err)
	}
	if err := r.check(claim); err != nil {
		return sources.Revision{}, err
	}
	return sources.Revision{Digest: DigestPrefix + string(claim.UID), Location: location}, nil
}

// check returns what keeps a claim's content from being copied. Its errors are sources.Errors.
func (r *Resolver) check(claim *corev1.PersistentVolumeClaim) error {
	volume, err := r.config.Volumes.DataVolumes(claim.Namespace).Get(claim.Name)
	if err != nil {
		if !apierrors.IsNotFound(err) {
			return sources.Errorf(sources.Transient, "get DataVolume %s/%s: %w", claim.Namespace, claim.Name, err)
		}
		volume = nil
	}
	why := ""
	switch {
	case claim.DeletionTimestamp != nil:
		why = "is being deleted"
	case claim.Status.Phase == corev1.ClaimLost:
		why = "has lost its volume: delete it and let it be made again"
	case r.config.Complete(volume, claim):
		return nil
	case volume != nil:
		why = fmt.Sprintf("is not complete: its DataVolume is in phase %q", volume.Status.Phase)
	default:
		why = fmt.Sprintf("is not complete: it is %s", claim.Status.Phase)
	}
	return sources.Errorf(sources.Transient, "PVC %s/%s %s", claim.Namespace, claim.Name, why)
}
