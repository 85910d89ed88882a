// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package app

import (
	"context"
	"fmt"

	genericapiserver "k8s.io/apiserver/pkg/server"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	cdirest "goldenimage.dev/pkg/registry/cdi/rest"
)

// A Server serves the API and runs the controllers.
type Server struct {
	generic *genericapiserver.GenericAPIServer
}

// New makes the server. ctx ends what runs beside the requests.
func (c CompletedConfig) New(ctx context.Context) (*Server, error) {
	generic, err := c.generic.New(Name, genericapiserver.NewEmptyDelegate())
	if err != nil {
		return nil, fmt.Errorf("make the generic server: %w", err)
	}
	scheme := newScheme()
	group, err := cdirest.NewAPIGroupInfo(scheme, newCodecs(scheme), c.generic.RESTOptionsGetter, c.Clock)
	if err != nil {
		return nil, err
	}
	if err := generic.InstallAPIGroup(group); err != nil {
		return nil, fmt.Errorf("install the API group: %w", err)
	}
	if c.Keeper != nil {
		generic.AddPostStartHookOrDie("golden-image-serving-certificate", func(hook genericapiserver.PostStartHookContext) error {
			go c.Keeper.Run(hook.Context)
			return nil
		})
	}
	if c.Options.Controllers {
		if err := c.addControllers(ctx, generic); err != nil {
			return nil, err
		}
	}
	return &Server{generic: generic}, nil
}

// Run serves until ctx is done and what was begun is answered.
func (s *Server) Run(ctx context.Context) error {
	return s.generic.PrepareRun().RunWithContext(ctx)
}

// clientConfig says how to reach the Kubernetes API: --kubeconfig, or as a Pod does.
func clientConfig(o *Options) (*rest.Config, error) {
	path := o.Recommended.CoreAPI.CoreAPIKubeconfigPath
	var config *rest.Config
	var err error
	if path == "" {
		config, err = rest.InClusterConfig()
	} else {
		config, err = clientcmd.BuildConfigFromFlags("", path)
	}
	if err != nil {
		return nil, fmt.Errorf("find the Kubernetes API: %w", err)
	}
	config.UserAgent = Name
	return config, nil
}
