// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package app

import (
	"context"

	genericapiserver "k8s.io/apiserver/pkg/server"
)

func (c CompletedConfig) addControllers(ctx context.Context, generic *genericapiserver.GenericAPIServer) error {
	return nil
}
