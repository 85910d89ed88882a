// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package app

import (
	"strings"
	"testing"

	"k8s.io/apiserver/pkg/admission"
	"k8s.io/apiserver/pkg/authorization/authorizerfactory"
	genericapiserver "k8s.io/apiserver/pkg/server"
	"k8s.io/client-go/rest"

	"goldenimage.dev/pkg/registry/admission/clone"
)

func TestAuthorizationOfClonesCannotBeDisabled(t *testing.T) {
	config := &genericapiserver.RecommendedConfig{}
	config.LoopbackClientConfig = &rest.Config{Host: "https://localhost"}
	tests := map[string]struct {
		disabled []string
		refused  bool
	}{
		"nothing is disabled":        {},
		"another plugin is disabled": {disabled: []string{"NamespaceLifecycle"}},
		"it is disabled":             {disabled: []string{"NamespaceLifecycle", clone.PluginName}, refused: true},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			options := NewOptions()
			options.Recommended.Admission.DisablePlugins = test.disabled
			initializers, err := options.Recommended.ExtraAdmissionInitializers(config)
			if test.refused {
				if err == nil || !strings.Contains(err.Error(), clone.PluginName+" cannot be disabled") {
					t.Errorf("got %v", err)
				}
				return
			}
			if err != nil || len(initializers) != 1 {
				t.Errorf("got %d initializers, error %v", len(initializers), err)
			}
		})
	}
}

func TestAuthorizationOfClonesIsTheLastPlugin(t *testing.T) {
	options := NewOptions().Recommended.Admission
	if last := options.RecommendedPluginOrder[len(options.RecommendedPluginOrder)-1]; last != clone.PluginName {
		t.Errorf("the last is %s", last)
	}
	plugin, err := options.Plugins.InitPlugin(clone.PluginName, nil, wanting{})
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := plugin.(admission.MutationInterface); !ok || !plugin.Handles(admission.Create) || !plugin.Handles(admission.Update) {
		t.Errorf("%T does not change what is created and updated", plugin)
	}
}

// wanting gives the plugin what it wants.
type wanting struct{}

func (wanting) Initialize(plugin admission.Interface) {
	wants := plugin.(*clone.Plugin)
	wants.SetAuthorizer(authorizerfactory.NewAlwaysAllowAuthorizer())
	sourceInitializer{}.Initialize(wants)
}
