// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package volume

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"time"

	authorizationv1 "k8s.io/api/authorization/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/klog/v2"
	"k8s.io/utils/ptr"

	"goldenimage.dev/pkg/apis/cdi/requester"
	"goldenimage.dev/pkg/apis/cdi/v1beta1"
)

// authorize returns a *problem if who asked for a DataVolume may not have a copy of a source in
// another namespace. What was allowed when the DataVolume was made stays allowed; everything else
// is asked for now. Any other error means that nobody could be asked.
func (c *Controller) authorize(ctx context.Context, dv *v1beta1.DataVolume, from requester.Source) error {
	if from.Namespace == dv.Namespace {
		return nil
	}
	who, err := requester.Decode(dv.Annotations[v1beta1.AnnCloneRequester])
	if err != nil {
		klog.FromContext(ctx).V(4).Info("Nobody is known to have asked for a clone", "reason", err.Error())
		return problemf(reasonNotAuthorized, "It is not known who asked for a clone from namespace %s, so nobody can be asked whether they may have it: delete the DataVolume and create it again", from.Namespace)
	}
	if who.Allows(from) {
		return nil
	}
	if deputy(&who, dv.Namespace) && near(dv) {
		// Whoever may write DataSources here chose what a controller from elsewhere would be asked for.
		who = requester.ServiceAccount(dv.Namespace, "")
	}
	denied := problemf(reasonNotAuthorized, "%s. It is asked again until it is granted", from.Refusal(who.Username))
	now := c.clock.Now()
	// Another source may be allowed where the one before was not.
	if held := c.holds.get(dv, now); held != nil && held.message == denied.message {
		return held
	}
	allowed, err := c.review(ctx, &who, from)
	if err != nil {
		return err
	}
	if !allowed {
		return c.holds.set(dv, denied, now, time.Time{}, longestNetPause)
	}
	c.holds.clear(keyOf(dv))
	return nil
}

// review asks Kubernetes whether somebody may have a copy of a source.
func (c *Controller) review(ctx context.Context, who *requester.CloneRequester, from requester.Source) (bool, error) {
	for _, way := range from.Ways() {
		allowed, err := c.mayAll(ctx, who, from.Namespace, way)
		if allowed || err != nil {
			return allowed, err
		}
	}
	return false, nil
}

func (c *Controller) mayAll(ctx context.Context, who *requester.CloneRequester, namespace string, permissions []requester.Permission) (bool, error) {
	extra := make(map[string]authorizationv1.ExtraValue, len(who.Extra))
	for key, values := range who.Extra {
		extra[key] = values
	}
	for _, permission := range permissions {
		review, err := c.kube.AuthorizationV1().SubjectAccessReviews().Create(ctx, &authorizationv1.SubjectAccessReview{
			Spec: authorizationv1.SubjectAccessReviewSpec{
				User: who.Username, UID: who.UID, Groups: who.Groups, Extra: extra,
				ResourceAttributes: &authorizationv1.ResourceAttributes{
					Verb: "create", Namespace: namespace, Group: permission.Group, Version: permission.Version,
					Resource: permission.Resource, Subresource: permission.Subresource, Name: permission.Name,
				},
			},
		}, metav1.CreateOptions{})
		if err != nil {
			return false, fmt.Errorf("ask whether user %s may clone from namespace %s: %w", who.Username, namespace, err)
		}
		if !review.Status.Allowed || review.Status.Denied {
			return false, nil
		}
	}
	return true, nil
}

// deputy tells whether a DataVolume was made by a ServiceAccount of another namespace: a
// controller, whose permissions are not those of the namespace's users.
func deputy(who *requester.CloneRequester, namespace string) bool {
	of, ok := strings.CutPrefix(who.Username, "system:serviceaccount:")
	return ok && !strings.HasPrefix(of, namespace+":")
}

// near tells whether a DataVolume refers to a DataSource of its own namespace.
func near(dv *v1beta1.DataVolume) bool {
	ref := dv.Spec.SourceRef
	return ref != nil && cmp.Or(ptr.Deref(ref.Namespace, ""), dv.Namespace) == dv.Namespace
}
