// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package validation

import (
	"fmt"
	"slices"
	"strings"

	"goldenimage.dev/pkg/apis/cdi"
)

// WarningsForCDIConfig returns what is legal but odd in a CDIConfig that is valid.
func WarningsForCDIConfig(config *cdi.CDIConfig) []string { return warnConfig(&config.Spec, "spec") }

// warnConfig looks at the spec of a CDIConfig, or at the part of a CDI that becomes it.
func warnConfig(spec *cdi.CDIConfigSpec, path string) []string {
	var warnings []string
	for _, inert := range []struct {
		given     bool
		name, why string
	}{
		{spec.UploadProxyURLOverride != nil, "uploadProxyURLOverride", "uploads are not served, so it is stored and not acted on"},
		{spec.ScratchSpaceStorageClass != nil, "scratchSpaceStorageClass", "imports need no scratch space, so it is stored and not acted on"},
		{spec.DataVolumeTTLSeconds != nil, "dataVolumeTTLSeconds", "it is deprecated: a DataVolume stays until somebody deletes it"},
		{spec.TLSSecurityProfile != nil, "tlsSecurityProfile", "it is stored and not acted on: the flags --tls-min-version and --tls-cipher-suites of the server count"},
		{spec.LogVerbosity != nil, "logVerbosity", "it is stored and not acted on: the flag -v of the server counts"},
		{spec.FilesystemOverhead != nil, "filesystemOverhead", "clients may read it; this server goes by its flag --filesystem-overhead"},
		{spec.Preallocation != nil, "preallocation", "clients may read it; this server goes by spec.preallocation of each DataVolume"},
		{spec.PodResourceRequirements != nil, "podResourceRequirements", "clients may read it; pods that fill volumes are given what they need"},
		{len(spec.ImagePullSecrets) > 0, "imagePullSecrets", "clients may read it; this server goes by its flag --importer-image-pull-secrets"},
		{spec.WebhookPvcRendering != nil, "webhookPvcRendering", "it is stored and not acted on: claims are not completed at admission"},
	} {
		if inert.given {
			warnings = append(warnings, path+"."+inert.name+": "+inert.why)
		}
	}
	warnings = append(warnings, warnGates(spec.FeatureGates, path+".featureGates")...)
	return append(warnings, warnProxy(spec.ImportProxy, path+".importProxy")...)
}

// warnGates looks at feature gates. An unknown one is legal: it may be one of another version.
func warnGates(gates []string, path string) []string {
	// HonorWaitForFirstConsumer is what this server does anyway.
	const honored = "HonorWaitForFirstConsumer"
	known := []string{honored, "DataVolumeClaimAdoption", "WebhookPvcRendering", "BootcImageImport"}
	var warnings []string
	for i, gate := range gates {
		switch {
		case !slices.Contains(known, gate):
			warnings = append(warnings, fmt.Sprintf("%s[%d]: %q is not known: known are %s", path, i, shorten(gate), strings.Join(known, ", ")))
		case gate != honored:
			warnings = append(warnings, fmt.Sprintf("%s[%d]: %s is stored and not acted on", path, i, gate))
		}
	}
	return warnings
}

func warnProxy(proxy *cdi.ImportProxy, path string) []string {
	if proxy == nil {
		return nil
	}
	var warnings []string
	for _, member := range []struct {
		name string
		url  *string
	}{{"HTTPProxy", proxy.HTTPProxy}, {"HTTPSProxy", proxy.HTTPSProxy}} {
		if strings.Contains(deref(member.url), "@") {
			warnings = append(warnings, path+"."+member.name+": it holds a user name or password, and all users may read the CDIConfig: sources are not read until it is removed")
		}
	}
	return warnings
}
