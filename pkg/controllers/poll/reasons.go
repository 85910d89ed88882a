// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package poll

import "goldenimage.dev/pkg/apis/cdi/v1beta1"

// Reasons of the condition SourceReachable and of events, besides those of package access.
const (
	// ReasonReachable: the latest poll succeeded.
	ReasonReachable = "Reachable"
	// ReasonUnauthorized: the source refuses the credentials, or wants some.
	ReasonUnauthorized = "Unauthorized"
	// ReasonSourceNotFound: the source says that there is no such thing.
	ReasonSourceNotFound = "SourceNotFound"
	// ReasonUnreachable: there is no connection to the source.
	ReasonUnreachable = "Unreachable"
	// ReasonCertificateNotTrusted: the source's certificate does not verify.
	ReasonCertificateNotTrusted = "CertificateNotTrusted"
	// ReasonRateLimited: the source asks to be left alone for a while. The API refuses triggers
	// as long as the condition says so and the next poll is to come.
	ReasonRateLimited = v1beta1.ReasonRateLimited
	// ReasonSourceInvalid: what names the source cannot be read.
	ReasonSourceInvalid = "SourceInvalid"
	// ReasonSourceNotSupported: this server has no way to poll that kind of source.
	ReasonSourceNotSupported = "SourceNotSupported"
	// ReasonPollFailed: anything else.
	ReasonPollFailed = "PollFailed"
	// ReasonBadSchedule: the schedule cannot be read.
	ReasonBadSchedule = "BadSchedule"
	// ReasonSuspended: the source was never polled, and is not before somebody asks for it.
	ReasonSuspended = "Suspended"
)

// Reasons of events that are of no condition.
const (
	// ReasonSourceUpdated: the source holds other content than before.
	ReasonSourceUpdated = "SourceUpdated"
	// ReasonSourceReachable: the source answers again.
	ReasonSourceReachable = "SourceReachable"
	// ReasonTriggerHandled: a poll that was asked for was made.
	ReasonTriggerHandled = "TriggerHandled"
)

// why names what a poll is made for, in logs.
type why string

const (
	whyTriggered   why = "triggered"
	whyNeverPolled why = "never polled"
	whyRetry       why = "retry after failure"
	whyScheduled   why = "schedule"
	// whyImportFailed is for an image that cannot be imported, and may have been corrected.
	whyImportFailed why = "import failed"
	whyAnnotation   why = "next poll annotated in the past"
)
