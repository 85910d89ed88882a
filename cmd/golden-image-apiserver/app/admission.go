// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package app

import (
	"context"
	"fmt"
	"io"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apiserver/pkg/admission"
	genericapiserver "k8s.io/apiserver/pkg/server"
	genericoptions "k8s.io/apiserver/pkg/server/options"

	"goldenimage.dev/pkg/apis/cdi/v1beta1"
	"goldenimage.dev/pkg/generated/clientset/versioned"
	"goldenimage.dev/pkg/registry/admission/clone"
)

// addAdmission adds the server's own admission plugins to those of every API server. That which
// authorizes clones is the last, so that it sees what is stored, and cannot be disabled: an
// annotation that it keeps users from writing is trusted.
func addAdmission(options *genericoptions.RecommendedOptions) {
	flags := options.Admission
	flags.Plugins.Register(clone.PluginName, func(io.Reader) (admission.Interface, error) {
		return clone.New(), nil
	})
	flags.RecommendedPluginOrder = append(flags.RecommendedPluginOrder, clone.PluginName)
	options.ExtraAdmissionInitializers = func(config *genericapiserver.RecommendedConfig) ([]admission.PluginInitializer, error) {
		if slices.Contains(flags.DisablePlugins, clone.PluginName) {
			return nil, fmt.Errorf("--disable-admission-plugins: %s cannot be disabled: it keeps users from having clones of volumes that they may not read", clone.PluginName)
		}
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
