// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package app

import (
	"context"
	"fmt"
	"io"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apiserver/pkg/admission"
	genericapiserver "k8s.io/apiserver/pkg/server"
	genericoptions "k8s.io/apiserver/pkg/server/options"

	"goldenimage.dev/pkg/apis/cdi/v1beta1"
	"goldenimage.dev/pkg/generated/clientset/versioned"
	"goldenimage.dev/pkg/registry/admission/clone"
)

// addAdmission adds the server's own admission plugins to those of every API server.
func addAdmission(options *genericoptions.RecommendedOptions) {
	options.Admission.Plugins.Register(clone.PluginName, func(io.Reader) (admission.Interface, error) {
		return clone.New(), nil
	})
	options.Admission.RecommendedPluginOrder = append(options.Admission.RecommendedPluginOrder, clone.PluginName)
	options.ExtraAdmissionInitializers = func(config *genericapiserver.RecommendedConfig) ([]admission.PluginInitializer, error) {
		client, err := versioned.NewForConfig(config.LoopbackClientConfig)
		if err != nil {
			return nil, fmt.Errorf("create client of the own API: %w", err)
		}
		return []admission.PluginInitializer{sourceInitializer{client}}, nil
	}
}

// sourceInitializer lets admission plugins read DataSources.
type sourceInitializer struct {
	client versioned.Interface
}

// Initialize gives a plugin what it wants.
func (i sourceInitializer) Initialize(plugin admission.Interface) {
	if wants, ok := plugin.(interface{ SetSourceGetter(clone.SourceGetter) }); ok {
		wants.SetSourceGetter(i)
	}
}

// DataSource reads a DataSource.
func (i sourceInitializer) DataSource(ctx context.Context, key types.NamespacedName) (*v1beta1.DataSource, error) {
	return i.client.CdiV1beta1().DataSources(key.Namespace).Get(ctx, key.Name, metav1.GetOptions{})
}
