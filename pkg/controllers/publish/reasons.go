// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package publish

import "goldenimage.dev/pkg/apis/cdi/v1beta1"

// Reasons of the condition UpToDate.
const (
	// ReasonUpToDate: the DataSource points to what the source holds.
	ReasonUpToDate = "UpToDate"
	// ReasonOutdated: the source holds something that is not imported yet.
	ReasonOutdated = "Outdated"
	// ReasonImportProgressing: it is being imported.
	ReasonImportProgressing = "ImportProgressing"
	// ReasonImportFailed: it could not be imported.
	ReasonImportFailed = v1beta1.ReasonImportFailed
	// ReasonNoDigest: nobody knows what the source holds.
	ReasonNoDigest = "NoDigest"
	// ReasonNotManaged: the DataSource was not made by a DataImportCron.
	ReasonNotManaged = "DataSourceNotManaged"
	// ReasonAlreadyManaged: the DataSource is another DataImportCron's.
	ReasonAlreadyManaged = "DataSourceAlreadyManaged"
)

// Reasons of events.
const (
	// ReasonDataSourceUpdated: the DataSource points to another claim than before.
	ReasonDataSourceUpdated = "DataSourceUpdated"
	// ReasonErrAlreadyManaged: the DataSource is another DataImportCron's. The name is CDI's.
	ReasonErrAlreadyManaged = "ErrDataSourceAlreadyManaged"
)

// Messages that clients of CDI know.
const (
	messageUpToDate    = "Latest import is up to date"
	messageOutdated    = "Source digest updated since last import"
	messageProgressing = "Import is progressing"
	messageNoDigest    = "No source digest"
)
