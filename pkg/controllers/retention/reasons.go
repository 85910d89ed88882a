// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package retention

import "goldenimage.dev/pkg/apis/cdi/v1beta1"

// AnnPinned on an import's claim, with the value "true", keeps the import for ever.
const AnnPinned = v1beta1.GroupName + "/pinned"

// ReasonImportDeleted is the reason of events about imports that were deleted.
const ReasonImportDeleted = "ImportDeleted"

// why names what an import is deleted for, in events.
type why string

const (
	whyOutdated  why = "newer imports are kept"
	whyAbandoned why = "it was not completed, and the source holds something else now"
	whyLost      why = "its claim is gone"
	whyCronGone  why = "its DataImportCron is gone"
)
