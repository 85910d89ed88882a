// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package imports

import (
	"context"
	"fmt"
	"strconv"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"goldenimage.dev/pkg/apis/cdi/v1beta1"
	"goldenimage.dev/pkg/controllers/lineage"
	"goldenimage.dev/pkg/controllers/status"
)

// refusedPause is how long a DataVolume that the API refused is not sent again: what helps, such
// as a larger quota, is not watched.
const refusedPause = time.Minute

// sync brings the import of a cron one step on.
func (c *Controller) sync(ctx context.Context, key types.NamespacedName) (time.Duration, error) {
	cron, err := c.crons.DataImportCrons(key.Namespace).Get(key.Name)
	if apierrors.IsNotFound(err) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("get dataimportcron: %w", err)
	}
	if cron.DeletionTimestamp != nil {
		return 0, nil
	}
	in, err := c.gather(cron)
	if err != nil {
		return 0, err
	}
	return c.apply(ctx, in, decide(in, c.clock.Now()))
}

func (c *Controller) gather(cron *v1beta1.DataImportCron) (input, error) {
	in := input{cron: cron}
	var err error
	if len(cron.Status.CurrentImports) > 0 {
		current := cron.Status.CurrentImports[0]
		if in.current, err = c.candidate(cron, current.DataVolumeName, current.Digest); err != nil {
			return in, err
		}
	}
	digest := cron.Annotations[v1beta1.AnnSourceDesiredDigest]
	if digest == "" {
		return in, nil
	}
	if err := checkDigest(cron, digest); err != nil {
		in.digestErr = err
		return in, nil //nolint:nilerr // that is for the user to mend
	}
	in.digest = digest
	if in.usual, err = c.candidate(cron, importName(cron, digest, ""), digest); err != nil {
		return in, err
	}
	if request := cron.Annotations[v1beta1.AnnForcedBy]; request != "" {
		in.beside, err = c.candidate(cron, importName(cron, digest, request), digest)
	}
	return in, err
}

func (c *Controller) candidate(cron *v1beta1.DataImportCron, name, digest string) (candidate, error) {
	found := candidate{name: name, digest: digest}
	var err error
	if found.volume, err = c.volumes.DataVolumes(cron.Namespace).Get(name); err != nil {
		if found.volume = nil; !apierrors.IsNotFound(err) {
			return found, fmt.Errorf("get datavolume: %w", err)
		}
	}
	if found.claim, err = c.claims.PersistentVolumeClaims(cron.Namespace).Get(name); err != nil {
		if found.claim = nil; !apierrors.IsNotFound(err) {
			return found, fmt.Errorf("get claim: %w", err)
		}
	}
	owner := ""
	switch {
	case found.volume != nil:
		owner = found.volume.Labels[v1beta1.LabelDataImportCron]
	case found.claim != nil:
		owner = found.claim.Labels[v1beta1.LabelDataImportCron]
	}
	if owner != "" && owner != cron.Name {
		// What a cron left behind that is no more may be taken over.
		if _, err := c.crons.DataImportCrons(cron.Namespace).Get(owner); err == nil {
			found.foreign = owner
		}
	}
	return found, nil
}

// apply does what was decided, and writes the status last: a server that is killed before finds
// what it has done by its name.
func (c *Controller) apply(ctx context.Context, in input, d decision) (time.Duration, error) {
	cron, err := c.annotate(ctx, in.cron, d)
	if err != nil {
		return 0, ignoreNotFound("annotate dataimportcron", err)
	}
	if err := c.remove(ctx, d); err != nil {
		return 0, err
	}
	created, err := c.create(ctx, cron, &d)
	if err != nil {
		return 0, err
	}
	if d.adopt, err = c.adopt(ctx, cron, d); err != nil {
		return 0, err
	}
	var flip flip
	cron, err = status.Update(ctx, c.client.CdiV1beta1().DataImportCrons(cron.Namespace), cron, func(cron *v1beta1.DataImportCron) {
		if d.current != nil {
			cron.Status.CurrentImports = []v1beta1.ImportStatus{*d.current}
		}
		d.progressing.ObservedGeneration = cron.Generation
		flip.first = status.Cron(cron.Status.Conditions, v1beta1.DataImportCronProgressing) == nil
		flip.Change = status.SetCron(&cron.Status.Conditions, v1beta1.DataImportCronProgressing, d.progressing, c.clock.Now())
	})
	if err != nil {
		return 0, ignoreNotFound("record import", err)
	}
	c.report(cron, in, d, created, flip)
	if d.again.IsZero() {
		return 0, nil
	}
	return max(d.again.Sub(c.clock.Now()), time.Millisecond), nil
}

func ignoreNotFound(what string, err error) error {
	if apierrors.IsNotFound(err) {
		return nil
	}
	return fmt.Errorf("%s: %w", what, err)
}

// annotate keeps count of failures, and shows the storage class that the template names.
func (c *Controller) annotate(ctx context.Context, cron *v1beta1.DataImportCron, d decision) (*v1beta1.DataImportCron, error) {
	annotations := map[string]*string{}
	if class := storageClass(cron); class != "" {
		annotations[v1beta1.AnnStorageClass] = &class
	}
	switch {
	case d.attempts > 0:
		annotations[AnnImportAttempts] = new(d.current.DataVolumeName + "/" + strconv.Itoa(d.attempts))
	case d.complete:
		annotations[AnnImportAttempts] = nil
	}
	patch, err := status.MetadataPatch(cron, nil, annotations)
	if err != nil || patch == nil {
		return cron, err
	}
	return c.client.CdiV1beta1().DataImportCrons(cron.Namespace).Patch(ctx, cron.Name, types.MergePatchType, patch, metav1.PatchOptions{})
}

// remove deletes a DataVolume, whose claim goes with it.
func (c *Controller) remove(ctx context.Context, d decision) error {
	if d.remove == nil {
		return nil
	}
	if d.lost {
		// The caches of two API servers are not of one time. Only the live claim tells.
		claim, err := c.kube.CoreV1().PersistentVolumeClaims(d.remove.Namespace).Get(ctx, d.remove.Name, metav1.GetOptions{})
		if err == nil && !lineage.Lost(claim) {
			return nil
		}
		if err != nil && !apierrors.IsNotFound(err) {
			return fmt.Errorf("get claim: %w", err)
		}
	}
	err := c.client.CdiV1beta1().DataVolumes(d.remove.Namespace).Delete(ctx, d.remove.Name, metav1.DeleteOptions{
		Preconditions: metav1.NewUIDPreconditions(string(d.remove.UID)),
	})
	if err != nil && !apierrors.IsNotFound(err) {
		return fmt.Errorf("delete import: %w", err)
	}
	return nil
}

// create makes the DataVolume if that was decided. If the API refuses it, the decision's
// condition becomes why.
func (c *Controller) create(ctx context.Context, cron *v1beta1.DataImportCron, d *decision) (bool, error) {
	if !d.create {
		return false, nil
	}
	volumes := c.client.CdiV1beta1().DataVolumes(cron.Namespace)
	volume, err := newVolume(cron, d.current.DataVolumeName, d.current.Digest, cron.Annotations[v1beta1.AnnForcedBy], c.clock.Now())
	if err != nil {
		d.stuck, d.progressing = true, no(ReasonSourceInvalid, err.Error())
		return false, nil
	}
	_, err = volumes.Create(ctx, volume, metav1.CreateOptions{})
	switch {
	case err == nil:
		return true, nil
	case apierrors.IsAlreadyExists(err):
		// It was made before the status was written, or the cache does not hold it yet.
		have, err := volumes.Get(ctx, volume.Name, metav1.GetOptions{})
		if err != nil {
			return false, fmt.Errorf("get import: %w", err)
		}
		if have.Labels[v1beta1.LabelDataImportCron] != cron.Name {
			return false, fmt.Errorf("datavolume %s exists and is not of this cron", volume.Name)
		}
		return false, nil
	case apierrors.IsInvalid(err), apierrors.IsForbidden(err), apierrors.IsBadRequest(err):
		d.stuck, d.progressing = true, no(ReasonDataVolumeRefused, "spec.template is refused: "+err.Error())
		d.current, d.again = nil, c.clock.Now().Add(refusedPause)
		return false, nil
	}
	return false, fmt.Errorf("create import: %w", err)
}

// adopt labels what there is of an import that somebody else made, and tells whether that was
// necessary: the caches may not hold yet that it was done.
func (c *Controller) adopt(ctx context.Context, cron *v1beta1.DataImportCron, d decision) (bool, error) {
	if !d.adopt {
		return false, nil
	}
	labels := map[string]*string{v1beta1.LabelDataImportCron: &cron.Name, v1beta1.LabelDataImportCronCleanup: lineage.Cleanup(cron)}
	annotations := map[string]*string{v1beta1.AnnSourceDigest: &d.current.Digest}
	volumes := c.client.CdiV1beta1().DataVolumes(cron.Namespace)
	ofVolume, err := label(ctx, volumes, d.current.DataVolumeName, labels, annotations)
	if err != nil {
		return false, fmt.Errorf("adopt datavolume: %w", err)
	}
	claims := c.kube.CoreV1().PersistentVolumeClaims(cron.Namespace)
	ofClaim, err := label(ctx, claims, d.current.DataVolumeName, labels, annotations)
	if err != nil {
		return false, fmt.Errorf("adopt claim: %w", err)
	}
	return ofVolume || ofClaim, nil
}

// A patcher is a typed client.
type patcher[T metav1.Object] interface {
	Get(ctx context.Context, name string, opts metav1.GetOptions) (T, error)
	Patch(ctx context.Context, name string, kind types.PatchType, data []byte, opts metav1.PatchOptions, subresources ...string) (T, error)
}

// label sets labels and annotations of an object, if there is one that lacks them.
func label[T metav1.Object](ctx context.Context, client patcher[T], name string, labels, annotations map[string]*string) (bool, error) {
	obj, err := client.Get(ctx, name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	patch, err := status.MetadataPatch(obj, labels, annotations)
	if err != nil || patch == nil {
		return false, err
	}
	_, err = client.Patch(ctx, name, types.MergePatchType, patch, metav1.PatchOptions{})
	return err == nil, err
}

// flip is what became of the condition.
type flip struct {
	status.Change
	// first: there was none before.
	first bool
}

// report makes events of what changed.
func (c *Controller) report(cron *v1beta1.DataImportCron, in input, d decision, created bool, flip flip) {
	switch {
	case created:
		c.events.Eventf(cron, corev1.EventTypeNormal, ReasonImportStarted, "Importing %s into DataVolume %s", d.current.Digest, d.current.DataVolumeName)
	case d.stuck && flip.Flipped:
		c.events.Eventf(cron, corev1.EventTypeWarning, ReasonImportFailed, "%s: %s", d.progressing.Reason, d.progressing.Message)
	case d.complete && d.adopt:
		c.events.Eventf(cron, corev1.EventTypeNormal, ReasonImportAdopted, "PVC %s holds %s already", d.current.DataVolumeName, d.current.Digest)
	case d.complete && flip.Flipped && !flip.first && in.current.volume != nil && (d.current == nil || d.current.DataVolumeName == in.current.name):
		took := c.clock.Since(in.current.volume.CreationTimestamp.Time).Truncate(time.Second)
		c.events.Eventf(cron, corev1.EventTypeNormal, ReasonImportSucceeded, "Imported %s into PVC %s in %s", in.current.digest, in.current.name, took)
	}
}
