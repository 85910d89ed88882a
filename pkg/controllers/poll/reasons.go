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
	// ReasonNotFound: the source says that there is no such thing.
	ReasonNotFound = "NotFound"
	// ReasonUnreachable: there is no connection to the source.
	ReasonUnreachable = "Unreachable"
	// ReasonTLSFailed: the source's certificate does not verify.
	ReasonTLSFailed = "TLSFailed"
	// ReasonRateLimited: the source asks to be left alone for a while. The API refuses triggers
	// as long as the condition says so and the next poll is to come.
	ReasonRateLimited = v1beta1.ReasonRateLimited
	// ReasonMalformed: what names the source, or what the source answers, cannot be read.
	ReasonMalformed = "Malformed"
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
	// ReasonAskingNode: a node is asked what the source holds, as the server may not.
	ReasonAskingNode = "AskingNode"
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
	// whyMended is for a poll that failed for want of something that is there now.
	whyMended why = "access changed after failure"
	// whyRecovered is for a registry that answers others again.
	whyRecovered why = "registry answers again"
	// whyChanged is for a source that is said to hold something else.
	whyChanged    why = "source changed"
	whyAnnotation why = "next poll annotated in the past"
)
