// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

// Package e2e does on the local cluster what users do, with kubectl and the registry alone:
// the main job, what goes wrong and heals, what is killed and goes on. It needs what
// hack/local.sh brings up; hack/test-e2e.sh does both.
package e2e
