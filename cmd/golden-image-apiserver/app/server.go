// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package app

import (
	"context"
	"errors"
	"fmt"

	genericapiserver "k8s.io/apiserver/pkg/server"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	cdirest "goldenimage.dev/pkg/registry/cdi/rest"
)

// A Server serves the API and runs the controllers.
type Server struct {
	generic *genericapiserver.GenericAPIServer
	// controllers are what runs beside the API, nil if nothing does.
	controllers *background
	// failed delivers what ends the process besides its context.
	failed []<-chan error
}

// background is work that ends some time after its context.
type background struct {
	done   chan struct{}
	failed chan error
}

// New makes the server.
func (c CompletedConfig) New() (*Server, error) {
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
	server := &Server{generic: generic, failed: []<-chan error{c.EtcdFailed}}
	if err := c.addPush(generic, c.Options.RegistryEvents); err != nil {
		return nil, err
	}
	if c.Options.Controllers {
		if server.controllers, err = c.addControllers(generic); err != nil {
			return nil, err
		}
		server.failed = append(server.failed, server.controllers.failed)
	}
	return server, nil
}

// Run serves until ctx is done, what was begun is answered, and the controllers have ended. It
// ends with an error when something that it needs fails for good.
func (s *Server) Run(ctx context.Context) error {
	ctx, end := context.WithCancelCause(ctx)
	defer end(nil)
	for _, failed := range s.failed {
		go func() {
			select {
			case err := <-failed:
				end(err)
			case <-ctx.Done():
			}
		}()
	}
	err := s.generic.PrepareRun().RunWithContext(ctx)
	end(nil)
	if s.controllers != nil && err == nil { // else they may not have begun
		<-s.controllers.done
	}
	if cause := context.Cause(ctx); err == nil && !errors.Is(cause, context.Canceled) {
		return cause
	}
	return err
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
