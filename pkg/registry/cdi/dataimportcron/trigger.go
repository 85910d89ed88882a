// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package dataimportcron

import (
	"context"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/uuid"
	"k8s.io/apiserver/pkg/endpoints/request"
	"k8s.io/apiserver/pkg/registry/rest"
	"k8s.io/utils/clock"

	"goldenimage.dev/pkg/apis/cdi"
	"goldenimage.dev/pkg/apis/cdi/v1beta1"
	"goldenimage.dev/pkg/apis/cdi/validation"
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
	_ rest.NamedCreater             = &Trigger{}
	_ rest.GroupVersionKindProvider = &Trigger{}
)

// New returns an empty request.
func (*Trigger) New() runtime.Object { return &cdi.DataImportCronTrigger{} }

// Destroy does nothing.
func (*Trigger) Destroy() {}

// GroupVersionKind is that of the request, which differs from the resource's.
func (*Trigger) GroupVersionKind(schema.GroupVersion) schema.GroupVersionKind {
	return v1beta1.SchemeGroupVersion.WithKind("DataImportCronTrigger")
}

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
	answer := trigger.DeepCopy()
	answer.Name = name
	answer.Namespace = request.NamespaceValue(ctx)
	wanted := t.wanted(ctx, trigger)
	record := func(_ context.Context, _, stored runtime.Object) (runtime.Object, error) {
		cron, ok := stored.DeepCopyObject().(*cdi.DataImportCron)
		if !ok {
			return nil, fmt.Errorf("stored object is a %T", stored)
		}
		answer.Status = merge(&cron.Status, wanted)
		return cron, nil
	}
	_, _, err := t.status.Update(ctx, name, rest.DefaultUpdatedObjectInfo(nil, record), rest.ValidateAllObjectFunc,
		rest.ValidateAllObjectUpdateFunc, false, &metav1.UpdateOptions{DryRun: options.DryRun})
	if err != nil {
		return nil, err
	}
	return answer, nil
}

func (t *Trigger) wanted(ctx context.Context, trigger *cdi.DataImportCronTrigger) cdi.TriggerRequest {
	wanted := cdi.TriggerRequest{
		RequestID:   trigger.Spec.RequestID,
		RequestedAt: metav1.NewTime(t.clock.Now()).Rfc3339Copy(),
		Reason:      trigger.Spec.Reason,
		Force:       trigger.Spec.Force,
	}
	if wanted.RequestID == "" {
		wanted.RequestID = string(uuid.NewUUID())
	}
	if user, ok := request.UserFrom(ctx); ok {
		wanted.RequestedBy = user.GetName()
	}
	return wanted
}

// merge records a request in a status and returns the answer to it. A request that still
// waits stands for a later one; its count tells a poll that began before the later one that
// another is due.
func merge(status *cdi.DataImportCronStatus, wanted cdi.TriggerRequest) cdi.DataImportCronTriggerStatus {
	last, waiting := status.LastTrigger, status.TriggerRequest
	if waiting != nil && last != nil && waiting.RequestID == last.RequestID && waiting.Coalesced <= last.Coalesced {
		if waiting.RequestID == wanted.RequestID {
			return answer(waiting, false)
		}
		waiting = nil
	}
	switch {
	case waiting == nil:
		status.TriggerRequest = &wanted
		return answer(&wanted, false)
	case waiting.RequestID == wanted.RequestID:
		return answer(waiting, false)
	default:
		waiting.Coalesced++
		waiting.Force = waiting.Force || wanted.Force
		return answer(waiting, true)
	}
}

func answer(request *cdi.TriggerRequest, coalesced bool) cdi.DataImportCronTriggerStatus {
	return cdi.DataImportCronTriggerStatus{
		RequestID:   request.RequestID,
		RequestedAt: request.RequestedAt.DeepCopy(),
		RequestedBy: request.RequestedBy,
		Coalesced:   coalesced,
	}
}
