// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package app

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"time"

	openapinamer "k8s.io/apiserver/pkg/endpoints/openapi"
	genericapiserver "k8s.io/apiserver/pkg/server"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	basecompatibility "k8s.io/component-base/compatibility"
	"k8s.io/component-base/version"
	"k8s.io/klog/v2"
	"k8s.io/utils/clock"

	"goldenimage.dev/cmd/golden-image-apiserver/internal/etcd"
	"goldenimage.dev/cmd/golden-image-apiserver/internal/servingcert"
	"goldenimage.dev/pkg/apis/cdi/v1beta1"
	"goldenimage.dev/pkg/generated/openapi"
	cdirest "goldenimage.dev/pkg/registry/cdi/rest"
)

// kubeVersion is the Kubernetes release of the API machinery, which decides on its features.
// The program's own version has nothing to do with it.
const kubeVersion = version.DefaultKubeBinaryVersion

// watchGrace is how long a server that ends waits for watches, which it tells to end. Without it
// they would hold it back until the kubelet kills it.
const watchGrace = 2 * time.Second

// A Config is what the server is made from.
type Config struct {
	Generic *genericapiserver.RecommendedConfig
	Options *Options
	// Keeper of the serving certificate, nil if it comes from files.
	Keeper *servingcert.Keeper
	Clock  clock.WithTicker
	// EtcdFailed delivers the error that ends the embedded etcd; nil without one.
	EtcdFailed <-chan error
}

type completedConfig struct {
	*Config
	generic genericapiserver.CompletedConfig
}

// A CompletedConfig can only be made by Complete.
type CompletedConfig struct {
	completedConfig
}

// Complete fills in what can be derived.
func (c *Config) Complete() CompletedConfig {
	return CompletedConfig{completedConfig{Config: c, generic: c.Generic.Complete()}}
}

// Config turns options into a config. It starts what serving depends on (the embedded etcd);
// the caller calls stop at the end.
func (o *Options) Config(ctx context.Context) (config *Config, stop func(), err error) {
	stop = func() {}
	defer func() {
		if err != nil {
			stop()
		}
	}()
	var etcdFailed <-chan error
	if o.embeddedEtcd() {
		starting, cancel := context.WithTimeout(ctx, startTimeout)
		defer cancel()
		server, err := etcd.Start(starting, o.DataDir)
		if err != nil {
			return nil, stop, err
		}
		stop, etcdFailed = server.Close, server.Failed()
		o.Recommended.Etcd.StorageConfig.Transport.ServerList = []string{server.Endpoint}
		o.embedded = true
	}
	scheme := newScheme()
	generic := genericapiserver.NewRecommendedConfig(newCodecs(scheme))
	generic.ShutdownWatchTerminationGracePeriod = watchGrace
	generic.EffectiveVersion = basecompatibility.NewEffectiveVersionFromString(kubeVersion, "", "")
	namer := openapinamer.NewDefinitionNamer(scheme)
	generic.OpenAPIConfig = genericapiserver.DefaultOpenAPIConfig(openapi.GetOpenAPIDefinitions, namer)
	generic.OpenAPIConfig.Info.Title, generic.OpenAPIConfig.Info.Version = Name, version.Get().GitVersion
	generic.OpenAPIV3Config = genericapiserver.DefaultOpenAPIV3Config(openapi.GetOpenAPIDefinitions, namer)
	generic.OpenAPIV3Config.Info.Title, generic.OpenAPIV3Config.Info.Version = Name, version.Get().GitVersion
	generic.OpenAPIConfig.PostProcessSpec = cdirest.MediaTypesV2
	generic.OpenAPIV3Config.PostProcessSpec = cdirest.MediaTypesV3
	generic.BuildHandlerChainFunc = func(handler http.Handler, c *genericapiserver.Config) http.Handler {
		handler = cdirest.WithBoundedQuantities(cdirest.WithStaleOpenAPI(handler), c.Serializer)
		handler = cdirest.WithProtobufForMetadata(handler, c.Serializer)
		return genericapiserver.DefaultBuildHandlerChain(cdirest.WithEmptyTrigger(handler), c)
	}
	config = &Config{Generic: generic, Options: o, Clock: clock.RealClock{}, EtcdFailed: etcdFailed}
	if err := config.serveWith(ctx); err != nil {
		return nil, stop, err
	}
	if err := o.Recommended.ApplyTo(generic); err != nil {
		return nil, stop, fmt.Errorf("apply options: %w", err)
	}
	return config, stop, nil
}

// serveWith arranges for the serving certificate.
func (c *Config) serveWith(ctx context.Context) error {
	o := c.Options
	serving := o.Recommended.SecureServing
	if o.ServingCertSecret == "" {
		if err := serving.MaybeDefaultWithSelfSignedCerts("localhost", nil, []net.IP{net.IPv4(127, 0, 0, 1)}); err != nil {
			return fmt.Errorf("make a serving certificate: %w", err)
		}
		return nil
	}
	kubeconfig, err := clientConfig(o)
	if err != nil {
		return err
	}
	client, err := kubernetes.NewForConfig(kubeconfig)
	if err != nil {
		return fmt.Errorf("create Kubernetes client: %w", err)
	}
	dynamicClient, err := dynamic.NewForConfig(kubeconfig)
	if err != nil {
		return fmt.Errorf("create Kubernetes client: %w", err)
	}
	c.Keeper = &servingcert.Keeper{
		Client: client, Dynamic: dynamicClient, Clock: c.Clock,
		Namespace: o.Namespace, SecretName: o.ServingCertSecret,
		Service: o.ServiceName, APIService: v1beta1.SchemeGroupVersion.Version + "." + v1beta1.GroupName,
	}
	if err := c.ensureCert(ctx); err != nil {
		return err
	}
	if o.embedded {
		if err := guardDatabase(ctx, client, o); err != nil {
			return err
		}
	}
	serving.ServerCert.GeneratedCert = c.Keeper
	return nil
}

// ensureCert waits for the Kubernetes API, which may be starting at the same time.
func (c *Config) ensureCert(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	ticker := c.Clock.NewTicker(time.Second)
	defer ticker.Stop()
	for {
		err := c.Keeper.Ensure(ctx)
		if err == nil {
			return nil
		}
		klog.FromContext(ctx).Info("Serving certificate is not ready, trying again", "reason", err.Error())
		select {
		case <-ctx.Done():
			return err
		case <-ticker.C():
		}
	}
}
