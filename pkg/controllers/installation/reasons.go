// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package installation

// Reasons of the conditions of a CDI.
const (
	// ReasonDeployed: the server runs, or it could not say so.
	ReasonDeployed = "DeployCompleted"
	// ReasonSeveral: there are several CDI objects, of which one counts.
	ReasonSeveral = "SeveralInstallations"
)

const messageDeployed = "Deployment Completed"
