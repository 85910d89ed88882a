// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package dataimportcron

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apiserver/pkg/audit"
	"k8s.io/apiserver/pkg/authentication/user"
	apirequest "k8s.io/apiserver/pkg/endpoints/request"
	clocktesting "k8s.io/utils/clock/testing"

	"goldenimage.dev/pkg/apis/cdi"
)

// as is the context of a request by a user.
func as(t *testing.T, name string) context.Context {
	t.Helper()
	ctx := audit.WithAuditContext(apirequest.WithNamespace(t.Context(), "golden-images"))
	return apirequest.WithUser(ctx, &user.DefaultInfo{Name: name})
}

func trigger(s *store) *Trigger {
	// Fractions of seconds are lost on the wire, so the first answer must not have them.
	return NewTrigger(s, clocktesting.NewFakePassiveClock(noon().Add(123*time.Millisecond)))
}

func body(id string, changes ...func(*cdi.DataImportCronTrigger)) *cdi.DataImportCronTrigger {
	b := &cdi.DataImportCronTrigger{Spec: cdi.DataImportCronTriggerSpec{RequestID: id}}
	for _, change := range changes {
		change(b)
	}
	return b
}

func send(ctx context.Context, t *Trigger, b *cdi.DataImportCronTrigger, dryRun ...string) (*cdi.DataImportCronTrigger, error) {
	got, err := t.Create(ctx, "fedora", b, nil, &metav1.CreateOptions{DryRun: dryRun})
	if err != nil {
		return nil, err
	}
	return got.(*cdi.DataImportCronTrigger), nil
}

func TestTriggerAnswersAndRecords(t *testing.T) {
	s := &store{cron: stored(cdi.DataImportCronStatus{})}
	sent := body("r1", func(b *cdi.DataImportCronTrigger) {
		b.Name, b.Namespace, b.UID, b.ResourceVersion = "fedora", "golden-images", "uid-1", "7"
		// None of this is the client's to say.
		b.CreationTimestamp, b.Generation, b.Labels = at(time.Hour), 5, map[string]string{"a": "b"}
		b.ManagedFields = []metav1.ManagedFieldsEntry{{Manager: "kubectl"}}
		b.Spec.Force, b.Spec.Reason = true, "new build"
		b.Status = cdi.DataImportCronTriggerStatus{RequestID: "mine", Coalesced: true}
	})
	got, err := send(as(t, "alice"), trigger(s), sent)
	if err != nil {
		t.Fatal(err)
	}
	want := &cdi.DataImportCronTrigger{
		ObjectMeta: metav1.ObjectMeta{Name: "fedora", Namespace: "golden-images", UID: "uid-1", CreationTimestamp: at(0)},
		Spec:       cdi.DataImportCronTriggerSpec{RequestID: "r1", Force: true, Reason: "new build"},
		Status:     byAlice("r1"),
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("answer (-want +got):\n%s", diff)
	}
	status := cdi.DataImportCronStatus{
		TriggerRequest: ofAlice("r1", withForce, func(r *cdi.TriggerRequest) { r.Reason = "new build" }),
		RecentTriggers: []cdi.TriggerRecord{recordOfAlice("r1", true)},
	}
	if diff := cmp.Diff(status, s.cron.Status); diff != "" {
		t.Errorf("status (-want +got):\n%s", diff)
	}
	sent.ResourceVersion = ""
	again, err := send(as(t, "carol"), trigger(s), sent)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(got, again); diff != "" {
		t.Errorf("answer to the same request (-want +got):\n%s", diff)
	}
	if s.writes != 1 {
		t.Errorf("%d writes", s.writes)
	}
}

func TestTriggerChoosesAnID(t *testing.T) {
	s := &store{cron: stored(cdi.DataImportCronStatus{})}
	first, err := send(as(t, "alice"), trigger(s), body(""))
	if err != nil {
		t.Fatal(err)
	}
	second, err := send(as(t, "bob"), trigger(s), body(""))
	if err != nil {
		t.Fatal(err)
	}
	if first.Status.RequestID == "" || first.Status.Coalesced || first.Spec.RequestID != "" {
		t.Errorf("first answer %+v", first)
	}
	want := first.Status
	want.Coalesced = true
	if diff := cmp.Diff(want, second.Status); diff != "" {
		t.Errorf("second answer (-want +got):\n%s", diff)
	}
	if s.cron.Status.TriggerRequest.RequestID != first.Status.RequestID || s.cron.Status.TriggerRequest.Coalesced != 1 || s.cron.Status.RecentTriggers != nil {
		t.Errorf("recorded %+v", s.cron.Status)
	}
}

func TestTriggerThatRecordsNothing(t *testing.T) {
	refuse := func(context.Context, runtime.Object) error {
		return apierrors.NewForbidden(cdi.Resource("dataimportcrons"), "fedora", errors.New("not today"))
	}
	for name, test := range map[string]struct {
		cron     *cdi.DataImportCron
		path     string
		body     runtime.Object
		validate func(context.Context, runtime.Object) error
		dryRun   []string
		err      error
		reason   metav1.StatusReason
		message  string
	}{
		"a dry run": {body: body("r1"), dryRun: []string{metav1.DryRunAll}},
		"a dry run that is refused": {
			cron: stored(limitedStatus(at(time.Hour), cdi.DataImportCronStatus{})), body: body(""), dryRun: []string{metav1.DryRunAll},
			reason:  metav1.StatusReasonTooManyRequests,
			message: `the source of DataImportCron "fedora" asked not to be polled before 2026-10-01T13:00:00Z: registry.example: too many requests`,
		},
		"a cron that is not there": {
			path: "rhel", body: body(""),
			reason: metav1.StatusReasonNotFound, message: `dataimportcrons.cdi.kubevirt.io "rhel" not found`,
		},
		"another cron's UID": {
			body:    body("", func(b *cdi.DataImportCronTrigger) { b.UID = "uid-0" }),
			reason:  metav1.StatusReasonConflict,
			message: `Operation cannot be fulfilled on dataimportcrons.cdi.kubevirt.io "fedora": metadata.uid is "uid-0", but that of the DataImportCron is "uid-1"`,
		},
		"an old version": {
			body:    body("", func(b *cdi.DataImportCronTrigger) { b.ResourceVersion = "6" }),
			reason:  metav1.StatusReasonConflict,
			message: `Operation cannot be fulfilled on dataimportcrons.cdi.kubevirt.io "fedora": metadata.resourceVersion is "6", but that of the DataImportCron is "7"`,
		},
		"another name in the body": {
			body:   body("", func(b *cdi.DataImportCronTrigger) { b.Name = "rhel" }),
			reason: metav1.StatusReasonBadRequest, message: `metadata.name is "rhel", but the URL names "fedora"`,
		},
		"a body of another kind": {
			body:   &cdi.DataImportCron{},
			reason: metav1.StatusReasonBadRequest, message: "body is a *cdi.DataImportCron, want a DataImportCronTrigger",
		},
		"what is wrong is said at once": {
			body:   body("-", func(b *cdi.DataImportCronTrigger) { b.Spec.Reason = "a\nb" }),
			reason: metav1.StatusReasonInvalid,
			message: `DataImportCronTrigger.cdi.kubevirt.io "fedora" is invalid: [spec.requestID: Invalid value: "-": request ID is not valid: ` +
				`a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character ` +
				`(e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?'), ` +
				`spec.reason: Invalid value: "a\nb": must be one line of text]`,
		},
		"admission refuses": {
			body: body(""), validate: refuse,
			reason: metav1.StatusReasonForbidden, message: `dataimportcrons.cdi.kubevirt.io "fedora" is forbidden: not today`,
		},
		"the store fails": {
			body: body(""), err: apierrors.NewInternalError(errors.New("etcd is gone")),
			reason: metav1.StatusReasonInternalError, message: "Internal error occurred: etcd is gone",
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := &store{cron: test.cron, err: test.err}
			if s.cron == nil {
				s.cron = stored(cdi.DataImportCronStatus{})
			}
			before := s.cron.DeepCopy()
			if test.path == "" {
				test.path = "fedora"
			}
			_, err := trigger(s).Create(as(t, "alice"), test.path, test.body, test.validate, &metav1.CreateOptions{DryRun: test.dryRun})
			message := ""
			if err != nil {
				message = err.Error()
			}
			if diff := cmp.Diff(test.message, message); diff != "" {
				t.Errorf("error (-want +got):\n%s", diff)
			}
			if _, ok := err.(apierrors.APIStatus); err != nil && !ok {
				t.Errorf("error is a %T, which the machinery makes a 500 of", err)
			}
			if err != nil && apierrors.ReasonForError(err) != test.reason {
				t.Errorf("reason %s, want %s", apierrors.ReasonForError(err), test.reason)
			}
			if diff := cmp.Diff(before, s.cron); diff != "" {
				t.Errorf("stored (-want +got):\n%s", diff)
			}
		})
	}
}

// TestTriggersOfTwoReplicas is about requests that are recorded at the same time: the store
// alone decides which is first.
func TestTriggersOfTwoReplicas(t *testing.T) {
	for name, test := range map[string]struct {
		id   string
		want cdi.DataImportCronTriggerStatus
	}{
		"two requests are one poll":        {id: "r2", want: byBob("r1", true)},
		"one that is sent twice is one":    {id: "r1", want: byBob("r1", false)},
		"and has the ID that it was given": {id: "", want: byBob("r1", true)},
	} {
		t.Run(name, func(t *testing.T) {
			s := &store{cron: stored(cdi.DataImportCronStatus{})}
			s.meanwhile = func(status *cdi.DataImportCronStatus) {
				status.TriggerRequest, status.RecentTriggers = waits("r1"), []cdi.TriggerRecord{record("r1", "r1", false)}
			}
			got, err := send(as(t, "alice"), trigger(s), body(test.id))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, got.Status); diff != "" {
				t.Errorf("answer (-want +got):\n%s", diff)
			}
		})
	}
}

func TestTriggerIsAudited(t *testing.T) {
	for name, test := range map[string]struct {
		status cdi.DataImportCronStatus
		id     string
		want   map[string]string
	}{
		"a request": {id: "r1", want: map[string]string{
			"trigger.cdi.kubevirt.io/sent-request-id": "r1", "trigger.cdi.kubevirt.io/request-id": "r1", "trigger.cdi.kubevirt.io/coalesced": "false",
		}},
		"one that another stands for": {
			status: cdi.DataImportCronStatus{TriggerRequest: waits("r1")}, id: "r2",
			want: map[string]string{
				"trigger.cdi.kubevirt.io/sent-request-id": "r2", "trigger.cdi.kubevirt.io/request-id": "r1", "trigger.cdi.kubevirt.io/coalesced": "true",
			},
		},
		"one without an ID": {
			status: cdi.DataImportCronStatus{TriggerRequest: waits("r1")},
			want:   map[string]string{"trigger.cdi.kubevirt.io/request-id": "r1", "trigger.cdi.kubevirt.io/coalesced": "true"},
		},
		"one that is refused": {
			status: limitedStatus(at(time.Hour), cdi.DataImportCronStatus{}), id: "r1",
			want: map[string]string{"trigger.cdi.kubevirt.io/sent-request-id": "r1"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			ctx := as(t, "alice")
			_, _ = send(ctx, trigger(&store{cron: stored(test.status)}), body(test.id))
			if diff := cmp.Diff(test.want, audit.AuditContextFrom(ctx).GetEventAnnotations()); diff != "" {
				t.Errorf("annotations (-want +got):\n%s", diff)
			}
		})
	}
}
