// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package retention

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/klog/v2"

	"goldenimage.dev/pkg/apis/cdi/v1beta1"
	"goldenimage.dev/pkg/controllers/lineage"
	"goldenimage.dev/pkg/controllers/status"
)

// sync deletes what a cron does not need any more, or all that goes with a cron that is gone.
func (c *Controller) sync(ctx context.Context, key types.NamespacedName) (time.Duration, error) {
	cron, err := found(c.crons.DataImportCrons(key.Namespace).Get(key.Name))
	if err != nil {
		return 0, err
	}
	in, err := c.gather(key, cron)
	if err != nil {
		return 0, err
	}
	if in.cron != nil {
		if err := c.relabel(ctx, in); err != nil {
			return 0, err
		}
	}
	d := decide(in, c.clock.Now())
	if len(d.delete) > 0 || len(d.deleteSources) > 0 {
		// A deletion cannot be taken back, so what it rests on is read once more.
		if d, err = c.collect(ctx, key, in); err != nil {
			return 0, err
		}
	}
	if d.again.IsZero() {
		return 0, nil
	}
	return max(d.again.Sub(c.clock.Now()), time.Millisecond), nil
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

// gather finds the imports of a cron. A cron that is being deleted is gone.
func (c *Controller) gather(key types.NamespacedName, cron *v1beta1.DataImportCron) (input, error) {
	in := input{cron: cron}
	if cron != nil && cron.DeletionTimestamp != nil {
		in.cron = nil
	}
	var err error
	if in.cron != nil {
		if in.source, err = found(c.sources.DataSources(key.Namespace).Get(cron.Spec.ManagedDataSource)); err != nil {
			return in, err
		}
	}
	if in.sources, err = listed[*v1beta1.DataSource](c.sourceIndex, byCron, key.String()); err != nil {
		return in, err
	}
	if in.entries, err = c.entries(key); err != nil {
		return in, err
	}
	for i := range in.entries {
		if in.entries[i].needed, err = c.needed(key, in.source, in.entries[i].name); err != nil {
			return in, err
		}
	}
	return in, nil
}

// entries returns the imports that carry a cron's label, in the order of their names.
func (c *Controller) entries(key types.NamespacedName) ([]entry, error) {
	byName := map[string]*entry{}
	volumes, err := listed[*v1beta1.DataVolume](c.volumeIndex, byCron, key.String())
	if err != nil {
		return nil, err
	}
	for _, volume := range volumes {
		claim, err := found(c.claims.PersistentVolumeClaims(key.Namespace).Get(volume.Name))
		if err != nil {
			return nil, err
		}
		byName[volume.Name] = &entry{name: volume.Name, volume: volume, claim: claim}
	}
	claims, err := listed[*corev1.PersistentVolumeClaim](c.claimIndex, byCron, key.String())
	if err != nil {
		return nil, err
	}
	for _, claim := range claims {
		if byName[claim.Name] != nil {
			continue
		}
		volume, err := found(c.volumes.DataVolumes(key.Namespace).Get(claim.Name))
		if err != nil {
			return nil, err
		}
		byName[claim.Name] = &entry{name: claim.Name, volume: volume, claim: claim}
	}
	all := make([]entry, 0, len(byName))
	for _, e := range byName {
		all = append(all, *e)
	}
	slices.SortFunc(all, func(a, b entry) int { return cmp.Compare(a.name, b.name) })
	return all, nil
}

// needed tells whether a clone copies a claim, or a DataSource other than own points to it.
func (c *Controller) needed(key types.NamespacedName, own *v1beta1.DataSource, name string) (bool, error) {
	claim := types.NamespacedName{Namespace: key.Namespace, Name: name}.String()
	clones, err := listed[*v1beta1.DataVolume](c.volumeIndex, byClaim, claim)
	if err != nil || len(clones) > 0 {
		return len(clones) > 0, err
	}
	sources, err := listed[*v1beta1.DataSource](c.sourceIndex, byClaim, claim)
	return slices.ContainsFunc(sources, func(s *v1beta1.DataSource) bool { return own == nil || s.UID != own.UID }), err
}

// relabel keeps the label by which imports go with their cron in step with the cron.
func (c *Controller) relabel(ctx context.Context, in input) error {
	want := map[string]*string{v1beta1.LabelDataImportCronCleanup: lineage.Cleanup(in.cron)}
	for _, e := range in.entries {
		if e.volume != nil {
			if err := label(ctx, c.client.CdiV1beta1().DataVolumes(in.cron.Namespace), e.volume, want); err != nil {
				return fmt.Errorf("label datavolume: %w", err)
			}
		}
		if e.claim != nil {
			if err := label(ctx, c.kube.CoreV1().PersistentVolumeClaims(in.cron.Namespace), e.claim, want); err != nil {
				return fmt.Errorf("label claim: %w", err)
			}
		}
	}
	return nil
}

// A client is a typed client.
type client[T metav1.Object] interface {
	Patch(ctx context.Context, name string, kind types.PatchType, data []byte, opts metav1.PatchOptions, subresources ...string) (T, error)
	Delete(ctx context.Context, name string, opts metav1.DeleteOptions) error
}

func label[T metav1.Object](ctx context.Context, to client[T], obj T, labels map[string]*string) error {
	patch, err := status.MetadataPatch(obj, labels, nil)
	if err != nil || patch == nil {
		return err
	}
	_, err = to.Patch(ctx, obj.GetName(), types.MergePatchType, patch, metav1.PatchOptions{})
	return ignoreNotFound(err)
}

func ignoreNotFound(err error) error {
	if apierrors.IsNotFound(err) {
		return nil
	}
	return err
}

// collect decides again by the live cron and DataSource, and deletes.
func (c *Controller) collect(ctx context.Context, key types.NamespacedName, in input) (decision, error) {
	cron, err := found(c.client.CdiV1beta1().DataImportCrons(key.Namespace).Get(ctx, key.Name, metav1.GetOptions{}))
	if err != nil {
		return decision{}, err
	}
	if cron != nil && cron.DeletionTimestamp != nil {
		cron = nil
	}
	in.cron = cron
	if cron != nil {
		if in.source, err = found(c.client.CdiV1beta1().DataSources(key.Namespace).Get(ctx, cron.Spec.ManagedDataSource, metav1.GetOptions{})); err != nil {
			return decision{}, err
		}
	}
	d := decide(in, c.clock.Now())
	// DataSources come first, so that nobody is pointed to what is being deleted.
	for _, source := range d.deleteSources {
		if _, err := remove(ctx, c.client.CdiV1beta1().DataSources(key.Namespace), source, true); err != nil {
			return d, fmt.Errorf("delete datasource: %w", err)
		}
	}
	for _, gone := range d.delete {
		deleted, err := c.delete(ctx, key.Namespace, gone)
		if err != nil {
			return d, err
		}
		if !deleted {
			continue
		}
		klog.FromContext(ctx).V(2).Info("Deleted import", "import", gone.name, "why", string(gone.why))
		if cron != nil {
			c.events.Event(cron, corev1.EventTypeNormal, ReasonImportDeleted, describe(gone))
		}
	}
	return d, nil
}

func describe(gone deletion) string {
	var text strings.Builder
	fmt.Fprintf(&text, "Deleted import %s", gone.name)
	if digest := gone.digest(); digest != "" {
		fmt.Fprintf(&text, " of %s", digest)
	}
	fmt.Fprintf(&text, ": %s", gone.why)
	return text.String()
}

// delete deletes an import: the DataVolume, whose claim goes with it, or a claim that has none.
// It returns false if there was nothing left to delete.
func (c *Controller) delete(ctx context.Context, namespace string, gone deletion) (deleted bool, err error) {
	claims := c.kube.CoreV1().PersistentVolumeClaims(namespace)
	if gone.why == whyLost {
		// The caches of two API servers are not of one time. Only the live claim tells.
		claim, err := found(claims.Get(ctx, gone.name, metav1.GetOptions{}))
		if err != nil || (claim != nil && !lineage.Lost(claim)) {
			return false, err
		}
	}
	// What was complete and is published just now, again, has another version since.
	unchanged := gone.why == whyOutdated
	if gone.volume != nil {
		if deleted, err = remove(ctx, c.client.CdiV1beta1().DataVolumes(namespace), gone.volume, unchanged); err != nil {
			return false, fmt.Errorf("delete datavolume: %w", err)
		}
	}
	if gone.claim == nil || (gone.volume != nil && metav1.IsControlledBy(gone.claim, gone.volume)) {
		return deleted, nil
	}
	also, err := remove(ctx, claims, gone.claim, unchanged)
	if err != nil {
		return deleted, fmt.Errorf("delete claim: %w", err)
	}
	return deleted || also, nil
}

// remove deletes an object that is still the same one, and, if asked, in the same version. It
// returns false if it is gone already.
func remove[T metav1.Object](ctx context.Context, from client[T], obj T, unchanged bool) (bool, error) {
	precondition := metav1.NewUIDPreconditions(string(obj.GetUID()))
	if version := obj.GetResourceVersion(); unchanged && version != "" {
		precondition.ResourceVersion = &version
	}
	err := from.Delete(ctx, obj.GetName(), metav1.DeleteOptions{Preconditions: precondition})
	return err == nil, ignoreNotFound(err)
}
