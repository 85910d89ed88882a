// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package publish

import (
	"context"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"

	"goldenimage.dev/pkg/apis/cdi/v1beta1"
	"goldenimage.dev/pkg/controllers/lineage"
	"goldenimage.dev/pkg/controllers/status"
)

// sync makes the DataSource of a cron what it shall be.
func (c *Controller) sync(ctx context.Context, key types.NamespacedName) (time.Duration, error) {
	cron, err := c.crons.DataImportCrons(key.Namespace).Get(key.Name)
	if err == nil && cron.DeletionTimestamp == nil {
		var in input
		if in, err = c.gather(ctx, cached{c}, cron); err == nil && settled(in, decide(in)) {
			return 0, nil
		}
	}
	if err != nil {
		return 0, ignoreNotFound("gather", err)
	}
	// There is something to write, which is rare. The caches may not hold yet what was written
	// a moment ago, and a DataSource must not be moved back because of that.
	cron, err = c.client.CdiV1beta1().DataImportCrons(key.Namespace).Get(ctx, key.Name, metav1.GetOptions{})
	if err != nil || cron.DeletionTimestamp != nil {
		return 0, ignoreNotFound("get dataimportcron", err)
	}
	in, err := c.gather(ctx, live{c}, cron)
	if err != nil {
		return 0, err
	}
	return 0, c.apply(ctx, in, decide(in))
}

func ignoreNotFound(what string, err error) error {
	if err == nil || apierrors.IsNotFound(err) {
		return nil
	}
	return fmt.Errorf("%s: %w", what, err)
}

// A reader finds DataSources and DataImportCrons.
type reader interface {
	source(ctx context.Context, namespace, name string) (*v1beta1.DataSource, error)
	cron(ctx context.Context, namespace, name string) (*v1beta1.DataImportCron, error)
}

type cached struct{ c *Controller }

func (r cached) source(_ context.Context, namespace, name string) (*v1beta1.DataSource, error) {
	return r.c.sources.DataSources(namespace).Get(name)
}

func (r cached) cron(_ context.Context, namespace, name string) (*v1beta1.DataImportCron, error) {
	return r.c.crons.DataImportCrons(namespace).Get(name)
}

type live struct{ c *Controller }

func (r live) source(ctx context.Context, namespace, name string) (*v1beta1.DataSource, error) {
	return r.c.client.CdiV1beta1().DataSources(namespace).Get(ctx, name, metav1.GetOptions{})
}

func (r live) cron(ctx context.Context, namespace, name string) (*v1beta1.DataImportCron, error) {
	return r.c.client.CdiV1beta1().DataImportCrons(namespace).Get(ctx, name, metav1.GetOptions{})
}

func (c *Controller) gather(ctx context.Context, from reader, cron *v1beta1.DataImportCron) (input, error) {
	in := input{cron: cron}
	var err error
	if name := in.current().DataVolumeName; name != "" {
		if in.volume, err = found(c.volumes.DataVolumes(cron.Namespace).Get(name)); err != nil {
			return in, err
		}
		if in.claim, err = found(c.claims.PersistentVolumeClaims(cron.Namespace).Get(name)); err != nil {
			return in, err
		}
	}
	if in.source, err = found(from.source(ctx, cron.Namespace, cron.Spec.ManagedDataSource)); err != nil || in.source == nil {
		return in, err
	}
	if owner := in.source.Labels[v1beta1.LabelDataImportCron]; owner != "" && owner != cron.Name {
		other, err := found(from.cron(ctx, cron.Namespace, owner))
		if err != nil {
			return in, err
		}
		if other != nil && other.Spec.ManagedDataSource == in.source.Name {
			in.manager = owner
		}
	}
	return in, nil
}

// found turns the error that there is no such object into nil.
func found[T any](obj *T, err error) (*T, error) {
	if apierrors.IsNotFound(err) {
		return nil, nil //nolint:nilnil // that there is none is an answer
	}
	if err != nil {
		return nil, fmt.Errorf("gather: %w", err)
	}
	return obj, nil
}

// settled tells whether nothing is to be written.
func settled(in input, d decision) bool {
	have := ptr.Deref(status.Cron(in.cron.Status.Conditions, v1beta1.DataImportCronUpToDate), v1beta1.ConditionState{})
	return !d.moves && d.source == nil && have.Status == d.upToDate.Status && have.Reason == d.upToDate.Reason &&
		have.Message == d.upToDate.Message && have.ObservedGeneration == in.cron.Generation
}

// apply stamps the claims, moves the DataSource, and writes the status, in this order: whoever
// is killed in between does what is left when they are back.
func (c *Controller) apply(ctx context.Context, in input, d decision) error {
	now := c.clock.Now()
	if d.moves {
		if ok, err := c.stamp(ctx, in, now); err != nil || !ok {
			return err
		}
	}
	if err := c.write(ctx, in, d); err != nil {
		return err
	}
	var change status.Change
	cron, err := status.Update(ctx, c.client.CdiV1beta1().DataImportCrons(in.cron.Namespace), in.cron, func(cron *v1beta1.DataImportCron) {
		if d.moves {
			cron.Status.LastImportedPVC = d.published
			cron.Status.LastImportTimestamp = new(metav1.NewTime(now.Truncate(time.Second)))
			cron.Status.SourceFormat = ptr.To(v1beta1.DataImportCronSourceFormatPvc)
		}
		d.upToDate.ObservedGeneration = cron.Generation
		change = status.SetCron(&cron.Status.Conditions, v1beta1.DataImportCronUpToDate, d.upToDate, now)
	})
	if err != nil {
		return ignoreNotFound("record publication", err)
	}
	c.report(cron, d, change)
	return nil
}

// stamp notes on what is published now, and on what was published until now, that they were
// current. It returns false if what is to be published is gone.
func (c *Controller) stamp(ctx context.Context, in input, now time.Time) (bool, error) {
	used := map[string]*string{v1beta1.AnnLastUseTime: new(now.UTC().Format(time.RFC3339Nano))}
	labels := map[string]*string{v1beta1.LabelDataImportCron: &in.cron.Name, v1beta1.LabelDataImportCronCleanup: lineage.Cleanup(in.cron)}
	annotations := map[string]*string{v1beta1.AnnSourceDigest: new(in.current().Digest), v1beta1.AnnLastUseTime: used[v1beta1.AnnLastUseTime]}
	if in.volume != nil {
		if request, ok := in.volume.Annotations[v1beta1.AnnForcedBy]; ok {
			annotations[v1beta1.AnnForcedBy] = &request
		}
		ok, err := patch(ctx, c.client.CdiV1beta1().DataVolumes(in.cron.Namespace), in.volume, nil, used)
		if err != nil || !ok {
			return false, err
		}
	}
	claims := c.kube.CoreV1().PersistentVolumeClaims(in.cron.Namespace)
	ok, err := patch(ctx, claims, in.claim, labels, annotations)
	if err != nil || !ok {
		return false, err
	}
	if last := in.cron.Status.LastImportedPVC; last != nil && last.Name != in.claim.Name {
		previous, err := found(c.claims.PersistentVolumeClaims(in.cron.Namespace).Get(last.Name))
		if err != nil || previous == nil {
			return err == nil, err
		}
		_, err = patch(ctx, claims, previous, nil, used)
		return err == nil, err
	}
	return true, nil
}

// A patcher is a typed client.
type patcher[T metav1.Object] interface {
	Patch(ctx context.Context, name string, kind types.PatchType, data []byte, opts metav1.PatchOptions, subresources ...string) (T, error)
}

// patch sets labels and annotations of an object, and returns false if it is gone.
func patch[T metav1.Object](ctx context.Context, client patcher[T], obj T, labels, annotations map[string]*string) (bool, error) {
	data, err := status.MetadataPatch(obj, labels, annotations)
	if err != nil || data == nil {
		return err == nil, err
	}
	_, err = client.Patch(ctx, obj.GetName(), types.MergePatchType, data, metav1.PatchOptions{})
	switch {
	case apierrors.IsNotFound(err):
		return false, nil
	case err != nil:
		return false, fmt.Errorf("stamp %s: %w", obj.GetName(), err)
	}
	return true, nil
}

// write creates or updates the DataSource. It conflicts if that changed since it was read.
func (c *Controller) write(ctx context.Context, in input, d decision) error {
	if d.source == nil {
		return nil
	}
	var err error
	if sources := c.client.CdiV1beta1().DataSources(in.cron.Namespace); in.source == nil {
		_, err = sources.Create(ctx, d.source, metav1.CreateOptions{})
	} else {
		_, err = sources.Update(ctx, d.source, metav1.UpdateOptions{})
	}
	if err != nil {
		return fmt.Errorf("write datasource: %w", err)
	}
	if d.points {
		c.events.Eventf(in.cron, corev1.EventTypeNormal, ReasonDataSourceUpdated, "DataSource %s now points to PVC %s", d.source.Name, d.published.Name)
	}
	return nil
}

func (c *Controller) report(cron *v1beta1.DataImportCron, d decision, change status.Change) {
	if !change.Flipped {
		return
	}
	switch d.upToDate.Reason {
	case ReasonAlreadyManaged:
		c.events.Event(cron, corev1.EventTypeWarning, ReasonErrAlreadyManaged, d.upToDate.Message)
	case ReasonNotManaged:
		c.events.Event(cron, corev1.EventTypeWarning, ReasonNotManaged, d.upToDate.Message)
	}
}
