// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package tables

import (
	"strings"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apiserver/pkg/registry/rest"
	"k8s.io/utils/clock"
	"k8s.io/utils/ptr"

	"goldenimage.dev/pkg/apis/cdi"
)

type (
	configRow       = row[cdi.CDIConfig]
	installationRow = row[cdi.CDI]
)

// CDIConfig returns the tables of CDIConfigs, with times relative to a clock.
func CDIConfig(clk clock.PassiveClock) rest.TableConvertor {
	items := func(object runtime.Object) ([]cdi.CDIConfig, bool) {
		list, ok := object.(*cdi.CDIConfigList)
		if !ok {
			return nil, false
		}
		return list.Items, true
	}
	return newConvertor(cdi.Resource("cdiconfigs"), clk, items, []column[cdi.CDIConfig]{
		text("Filesystem-Overhead", always, "Share of a Filesystem volume that its file system needs.",
			func(r configRow) string {
				return string(ptr.Deref(r.object.Status.FilesystemOverhead, cdi.FilesystemOverhead{}).Global)
			}),
		text("Insecure-Registries", always, "Registries that may be spoken to without verification.",
			func(r configRow) string { return strings.Join(r.object.Spec.InsecureRegistries, ",") }),
		age[cdi.CDIConfig](),
		text("Feature-Gates", wide, "Feature gates that are on.",
			func(r configRow) string { return strings.Join(r.object.Spec.FeatureGates, ",") }),
	})
}

// CDI returns the tables of CDI objects, with times relative to a clock.
func CDI(clk clock.PassiveClock) rest.TableConvertor {
	items := func(object runtime.Object) ([]cdi.CDI, bool) {
		list, ok := object.(*cdi.CDIList)
		if !ok {
			return nil, false
		}
		return list.Items, true
	}
	return newConvertor(cdi.Resource("cdis"), clk, items, []column[cdi.CDI]{
		age[cdi.CDI](),
		text("Phase", always, "State of the installation.",
			func(r installationRow) string { return string(r.object.Status.Phase) }),
		text("Version", wide, "Version that is installed.",
			func(r installationRow) string { return r.object.Status.ObservedVersion }),
		text("Message", wide, "What is wrong, in a sentence.", degraded),
	})
}

func degraded(r installationRow) string {
	for _, c := range r.object.Status.Conditions {
		if c.Type == cdi.CDIDegraded {
			return c.Message
		}
	}
	return ""
}
