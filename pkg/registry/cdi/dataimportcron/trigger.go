// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package dataimportcron

import (
	"context"
	"fmt"
	"strconv"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/uuid"
	"k8s.io/apiserver/pkg/audit"
	apirequest "k8s.io/apiserver/pkg/endpoints/request"
	"k8s.io/apiserver/pkg/registry/rest"
	"k8s.io/utils/clock"

	"goldenimage.dev/pkg/apis/cdi"
	"goldenimage.dev/pkg/apis/cdi/v1beta1"
	"goldenimage.dev/pkg/apis/cdi/validation"
)

// Annotations of the audit log, which says by them which request it was even if it holds no
// bodies.
const (
	// auditSent is the ID that the client sent, absent if it sent none.
	auditSent = "trigger." + cdi.GroupName + "/sent-request-id"
	// auditRequest is the ID that the answer names: that of status.lastTrigger when the poll
	// was made.
	auditRequest = "trigger." + cdi.GroupName + "/request-id"
	// auditCoalesced tells whether an earlier request that waits stands for this one.
	auditCoalesced = "trigger." + cdi.GroupName + "/coalesced"
)

// A Trigger serves dataimportcrons/trigger: it records that somebody wants a poll, and
// answers at once. The poll is made by whichever replica runs the controllers.
type Trigger struct {
	status rest.Updater
	clock  clock.PassiveClock
}

// NewTrigger returns the storage of the subresource. Requests are recorded by way of status.
func NewTrigger(status rest.Updater, clk clock.PassiveClock) *Trigger {
	return &Trigger{status: status, clock: clk}
}

var (
	_ rest.NamedCreater                   = &Trigger{}
	_ rest.GroupVersionKindProvider       = &Trigger{}
	_ rest.SubresourceObjectMetaPreserver = &Trigger{}
)

// New returns an empty request.
func (*Trigger) New() runtime.Object { return &cdi.DataImportCronTrigger{} }

// Destroy does nothing.
func (*Trigger) Destroy() {}

// GroupVersionKind is that of the request, which differs from the resource's.
func (*Trigger) GroupVersionKind(schema.GroupVersion) schema.GroupVersionKind {
	return v1beta1.SchemeGroupVersion.WithKind("DataImportCronTrigger")
}

// PreserveRequestObjectMetaSystemFieldsOnSubresourceCreate keeps metadata.uid, by which a client
// says which DataImportCron it means.
func (*Trigger) PreserveRequestObjectMetaSystemFieldsOnSubresourceCreate() bool { return true }

// Create records a request for the named DataImportCron and returns it with its status
// filled in.
func (t *Trigger) Create(ctx context.Context, name string, obj runtime.Object, validate rest.ValidateObjectFunc, options *metav1.CreateOptions) (runtime.Object, error) {
	trigger, ok := obj.(*cdi.DataImportCronTrigger)
	if !ok {
		return nil, apierrors.NewBadRequest(fmt.Sprintf("body is a %T, want a DataImportCronTrigger", obj))
	}
	if trigger.Name != "" && trigger.Name != name {
		return nil, apierrors.NewBadRequest(fmt.Sprintf("metadata.name is %q, but the URL names %q", trigger.Name, name))
	}
	if errs := validation.ValidateDataImportCronTrigger(trigger); len(errs) > 0 {
		return nil, apierrors.NewInvalid(cdi.Kind("DataImportCronTrigger"), name, errs)
	}
	if validate != nil {
		if err := validate(ctx, trigger.DeepCopy()); err != nil {
			return nil, err
		}
	}
	asked := t.asked(ctx, trigger)
	if asked.named {
		audit.AddAuditAnnotation(ctx, auditSent, asked.RequestID)
	}
	var reply *cdi.DataImportCronTrigger
	record := func(_ context.Context, _, stored runtime.Object) (runtime.Object, error) {
		cron, ok := stored.DeepCopyObject().(*cdi.DataImportCron)
		if !ok {
			return nil, fmt.Errorf("stored object is a %T", stored)
		}
		decided := answerTo(cron, asked, asked.RequestedAt.Time)
		if decided.refused != nil {
			return nil, decided.refused
		}
		cron.Status, reply = decided.status, asAnswer(cron, trigger, decided.answer)
		return cron, nil
	}
	// The store calls record again if somebody else wrote meanwhile, and writes only what
	// differs. The errors that it returns are the client's answer as they are: the machinery
	// looks into none that is wrapped.
	_, _, err := t.status.Update(ctx, name, rest.DefaultUpdatedObjectInfo(nil, record), rest.ValidateAllObjectFunc,
		rest.ValidateAllObjectUpdateFunc, false, &metav1.UpdateOptions{DryRun: options.DryRun})
	if err != nil {
		return nil, err
	}
	audit.AddAuditAnnotations(ctx, auditRequest, reply.Status.RequestID, auditCoalesced, strconv.FormatBool(reply.Status.Coalesced))
	return reply, nil
}

// asked returns what a body asks for.
func (t *Trigger) asked(ctx context.Context, trigger *cdi.DataImportCronTrigger) request {
	r := request{
		TriggerRequest: cdi.TriggerRequest{
			RequestID:   trigger.Spec.RequestID,
			RequestedAt: metav1.NewTime(t.clock.Now()).Rfc3339Copy(),
			Reason:      trigger.Spec.Reason,
			Force:       trigger.Spec.Force,
		},
		named:           trigger.Spec.RequestID != "",
		uid:             trigger.UID,
		resourceVersion: trigger.ResourceVersion,
	}
	if !r.named {
		r.RequestID = string(uuid.NewUUID())
	}
	if user, ok := apirequest.UserFrom(ctx); ok {
		r.RequestedBy = user.GetName()
	}
	return r
}
