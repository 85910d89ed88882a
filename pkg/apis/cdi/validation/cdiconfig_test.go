// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package validation

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"goldenimage.dev/pkg/apis/cdi"
)

const (
	percentWords = `must match ^(0(?:\.\d{1,3})?|1)$: accepted is a share from "0" to "1" with at most three digits after the point, such as "0.06"`
	proxyWords   = "URL of the proxy is not valid: accepted is http://host[:port] or https://host[:port]"
	proxyScheme  = "URL of the proxy is not valid: its scheme is neither http nor https: accepted is http://host[:port] or https://host[:port]"
)

func theConfig() *cdi.CDIConfig {
	return &cdi.CDIConfig{ObjectMeta: metav1.ObjectMeta{Name: "config"}}
}

// A configCase is the spec of a CDIConfig, and what is wrong with it.
type configCase struct {
	spec cdi.CDIConfigSpec
	want []fault
}

// configCases are those of what CDIConfig and CDI have in common. Paths are below the spec.
func configCases() map[string]configCase {
	list := func(name corev1.ResourceName, quantity string) corev1.ResourceList {
		return corev1.ResourceList{name: resource.MustParse(quantity)}
	}
	pods := func(requests, limits corev1.ResourceList) cdi.CDIConfigSpec {
		return cdi.CDIConfigSpec{PodResourceRequirements: &corev1.ResourceRequirements{Requests: requests, Limits: limits}}
	}
	overhead := func(global cdi.Percent, classes map[string]cdi.Percent) cdi.CDIConfigSpec {
		return cdi.CDIConfigSpec{FilesystemOverhead: &cdi.FilesystemOverhead{Global: global, StorageClass: classes}}
	}
	return map[string]configCase{
		"nothing is valid": {cdi.CDIConfigSpec{}, nil},
		"all that may be given is valid": {cdi.CDIConfigSpec{
			UploadProxyURLOverride: new("upload.example"), ScratchSpaceStorageClass: new("fast"), Preallocation: new(true),
			ImportProxy:             &cdi.ImportProxy{HTTPProxy: new("http://user:pass@proxy.example:3128"), HTTPSProxy: new("https://proxy.example"), NoProxy: new("10.0.0.0/8,.svc"), TrustedCAProxy: new("proxy-ca")},
			PodResourceRequirements: &corev1.ResourceRequirements{Requests: list(corev1.ResourceCPU, "100m"), Limits: list(corev1.ResourceCPU, "100m")},
			FeatureGates:            []string{"HonorWaitForFirstConsumer", "Another"}, InsecureRegistries: []string{"registry:5000"},
			FilesystemOverhead:   &cdi.FilesystemOverhead{Global: "0.06", StorageClass: map[string]cdi.Percent{"fast": "0"}},
			DataVolumeTTLSeconds: new(int32(0)), LogVerbosity: new(int32(3)), ImagePullSecrets: []corev1.LocalObjectReference{{Name: "pull"}},
			TLSSecurityProfile: &cdi.TLSSecurityProfile{Type: cdi.TLSProfileModernType, Modern: &cdi.ModernTLSProfile{}}, WebhookPvcRendering: new(cdi.WebhookPvcRenderingDisabled),
		}, nil},
		"empty texts are as good as none": {cdi.CDIConfigSpec{
			ScratchSpaceStorageClass: new(""), ImportProxy: &cdi.ImportProxy{HTTPProxy: new(""), HTTPSProxy: new(""), NoProxy: new(""), TrustedCAProxy: new("")}, FilesystemOverhead: &cdi.FilesystemOverhead{},
		}, nil},

		"shares at their bounds are valid":  {overhead("0", map[string]cdi.Percent{"a": "1", "b": "0.999", "c.d": "0.0"}), nil},
		"a share is a percentage":           {overhead("6%", nil), []fault{invalid("filesystemOverhead.global", percentWords)}},
		"a share has four digits":           {overhead("0.0625", nil), []fault{invalid("filesystemOverhead.global", percentWords)}},
		"a share is above 1":                {overhead("1.1", nil), []fault{invalid("filesystemOverhead.global", percentWords)}},
		"a share has a line after it":       {overhead("0.1\n", nil), []fault{invalid("filesystemOverhead.global", percentWords)}},
		"the share of a class is empty":     {overhead("", map[string]cdi.Percent{"fast": ""}), []fault{invalid("filesystemOverhead.storageClass[fast]", percentWords)}},
		"the name of a class with a share":  {overhead("", map[string]cdi.Percent{"A B": "0.1"}), []fault{invalid("filesystemOverhead.storageClass[A B]", "name of the StorageClass is not valid: "+badName)}},
		"a class without a name":            {overhead("", map[string]cdi.Percent{"": "2"}), []fault{required("filesystemOverhead.storageClass[]", "name of the StorageClass is not valid: give a name"), invalid("filesystemOverhead.storageClass[]", percentWords)}},
		"the scratch space's class is none": {cdi.CDIConfigSpec{ScratchSpaceStorageClass: new("a/b")}, []fault{invalid("scratchSpaceStorageClass", "name of the StorageClass is not valid: "+badName)}},

		"a limit is below its request":  {pods(list(corev1.ResourceMemory, "2Gi"), list(corev1.ResourceMemory, "1Gi")), []fault{invalid("podResourceRequirements.limits[memory]", "the limit is below the request, 2Gi")}},
		"a limit alone is valid":        {pods(nil, list(corev1.ResourceMemory, "0")), nil},
		"a request alone is valid":      {pods(list(corev1.ResourceMemory, "1Gi"), nil), nil},
		"a request is negative":         {pods(list(corev1.ResourceCPU, "-1"), nil), []fault{invalid("podResourceRequirements.requests[cpu]", "must be 0 or more")}},
		"a limit is negative":           {pods(list(corev1.ResourceCPU, "1"), list(corev1.ResourceCPU, "-1")), []fault{invalid("podResourceRequirements.limits[cpu]", "must be 0 or more")}},
		"a resource's name is none":     {pods(list("a b", "1"), nil), []fault{invalid("podResourceRequirements.requests[a b]", "name of the resource is not valid: "+badQualifiedName)}},
		"a number of seconds is less":   {cdi.CDIConfigSpec{DataVolumeTTLSeconds: new(int32(-1))}, []fault{invalid("dataVolumeTTLSeconds", "must be 0 or more")}},
		"verbosity is less than none":   {cdi.CDIConfigSpec{LogVerbosity: new(int32(-1))}, []fault{invalid("logVerbosity", "must be 0 or more")}},
		"rendering is neither":          {cdi.CDIConfigSpec{WebhookPvcRendering: new(cdi.WebhookPvcRendering("On"))}, []fault{unsupported("webhookPvcRendering", "Illegal value: accepted are Enabled, Disabled")}},
		"a pull secret has no name":     {cdi.CDIConfigSpec{ImagePullSecrets: []corev1.LocalObjectReference{{}}}, []fault{required("imagePullSecrets[0].name", "name of the Secret is not valid: give a name")}},
		"a pull secret's name is none":  {cdi.CDIConfigSpec{ImagePullSecrets: []corev1.LocalObjectReference{{Name: "ok"}, {Name: "A"}}}, []fault{invalid("imagePullSecrets[1].name", "name of the Secret is not valid: "+badName)}},
		"a proxy has no scheme":         {cdi.CDIConfigSpec{ImportProxy: &cdi.ImportProxy{HTTPProxy: new("proxy.example:3128")}}, []fault{invalid("importProxy.HTTPProxy", proxyWords)}},
		"a proxy has no host":           {cdi.CDIConfigSpec{ImportProxy: &cdi.ImportProxy{HTTPSProxy: new("https://:3128")}}, []fault{invalid("importProxy.HTTPSProxy", proxyWords)}},
		"a proxy speaks SOCKS":          {cdi.CDIConfigSpec{ImportProxy: &cdi.ImportProxy{HTTPSProxy: new("socks5://proxy.example")}}, []fault{invalid("importProxy.HTTPSProxy", proxyScheme)}},
		"a proxy's URL does not parse":  {cdi.CDIConfigSpec{ImportProxy: &cdi.ImportProxy{HTTPProxy: new("http://pro xy")}}, []fault{invalid("importProxy.HTTPProxy", proxyWords)}},
		"exceptions are several lines":  {cdi.CDIConfigSpec{ImportProxy: &cdi.ImportProxy{NoProxy: new("a\nb")}}, []fault{invalid("importProxy.noProxy", "must be one line: hosts and networks, separated by commas")}},
		"a proxy's ConfigMap is none":   {cdi.CDIConfigSpec{ImportProxy: &cdi.ImportProxy{TrustedCAProxy: new("a/b")}}, []fault{invalid("importProxy.trustedCAProxy", "name of the ConfigMap is not valid: "+badName)}},
		"the TLS profile is of no type": {cdi.CDIConfigSpec{TLSSecurityProfile: &cdi.TLSSecurityProfile{}}, []fault{required("tlsSecurityProfile.type", "give one of Old, Intermediate, Modern, Custom")}},
		"several things are wrong, and all of it is told": {cdi.CDIConfigSpec{InsecureRegistries: []string{"https://a"}, LogVerbosity: new(int32(-1)), FilesystemOverhead: &cdi.FilesystemOverhead{Global: "2"}}, []fault{
			invalid("filesystemOverhead.global", percentWords),
			invalid("insecureRegistries[0]", "registry is not valid: it has a scheme: "+acceptedHost),
			invalid("logVerbosity", "must be 0 or more"),
		}},
	}
}

// below puts faults below a path.
func below(path string, faults []fault) []fault {
	var moved []fault
	for _, f := range faults {
		f.Field = path + "." + f.Field
		moved = append(moved, f)
	}
	return moved
}

func TestValidateConfig(t *testing.T) {
	for name, test := range configCases() {
		t.Run(name, func(t *testing.T) {
			config := theConfig()
			config.Spec = test.spec
			compare(t, below("spec", test.want), ValidateCDIConfig(config))
			compare(t, below("spec", test.want), ValidateCDIConfigUpdate(config, theConfig()))
			compare(t, nil, ValidateCDIConfigUpdate(config, config))

			installation := &cdi.CDI{ObjectMeta: metav1.ObjectMeta{Name: "any"}, Spec: cdi.CDISpec{Config: &test.spec}}
			compare(t, below("spec.config", test.want), ValidateCDI(installation))
			compare(t, below("spec.config", test.want), ValidateCDIUpdate(installation, &cdi.CDI{}))
			compare(t, nil, ValidateCDIUpdate(installation, installation))
		})
	}
}

func TestValidateCDIConfigObject(t *testing.T) {
	for name, test := range map[string]struct {
		object metav1.ObjectMeta
		want   []fault
	}{
		"config is its name":   {metav1.ObjectMeta{Name: "config"}, nil},
		"another name":         {metav1.ObjectMeta{Name: "config2"}, []fault{invalid("metadata.name", "there is one CDIConfig, and its name is config")}},
		"no name":              {metav1.ObjectMeta{}, []fault{required("metadata.name", "name or generateName is required")}},
		"a name that is none":  {metav1.ObjectMeta{Name: "A"}, []fault{invalid("metadata.name", badName), invalid("metadata.name", "there is one CDIConfig, and its name is config")}},
		"it is in a namespace": {metav1.ObjectMeta{Name: "config", Namespace: "a"}, []fault{forbidden("metadata.namespace", "not allowed on this type")}},
		"a name that was made up": {metav1.ObjectMeta{Name: "config-x7k2f", GenerateName: "config-"},
			[]fault{invalid("metadata.name", "there is one CDIConfig, and its name is config")}},
	} {
		t.Run(name, func(t *testing.T) {
			compare(t, test.want, ValidateCDIConfig(&cdi.CDIConfig{ObjectMeta: test.object}))
		})
	}
}

func TestValidateCDIConfigStatusUpdate(t *testing.T) {
	updated := theConfig()
	updated.Status = cdi.CDIConfigStatus{
		ImportProxy: &cdi.ImportProxy{HTTPProxy: new("proxy")}, FilesystemOverhead: &cdi.FilesystemOverhead{Global: "2"},
		DefaultPodResourceRequirements: &corev1.ResourceRequirements{Requests: corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("-1")}},
		ImagePullSecrets:               []corev1.LocalObjectReference{{}}, ScratchSpaceStorageClass: "A",
	}
	compare(t, []fault{
		invalid("status.importProxy.HTTPProxy", proxyWords),
		invalid("status.filesystemOverhead.global", percentWords),
		invalid("status.defaultPodResourceRequirements.requests[cpu]", "must be 0 or more"),
		required("status.imagePullSecrets[0].name", "name of the Secret is not valid: give a name"),
		invalid("status.scratchSpaceStorageClass", "name of the StorageClass is not valid: "+badName),
	}, ValidateCDIConfigStatusUpdate(updated, theConfig()))
	compare(t, nil, ValidateCDIConfigStatusUpdate(updated, updated))
}

func TestWarningsForCDIConfig(t *testing.T) {
	for name, test := range map[string]struct {
		spec cdi.CDIConfigSpec
		want []string
	}{
		"nothing":             {cdi.CDIConfigSpec{}, nil},
		"what is done anyway": {cdi.CDIConfigSpec{FeatureGates: []string{"HonorWaitForFirstConsumer"}}, nil},
		"what others read": {cdi.CDIConfigSpec{
			FilesystemOverhead: &cdi.FilesystemOverhead{Global: "0.1"}, Preallocation: new(false), ImportProxy: &cdi.ImportProxy{HTTPProxy: new("http://proxy")},
			PodResourceRequirements: &corev1.ResourceRequirements{}, ImagePullSecrets: []corev1.LocalObjectReference{{Name: "a"}},
		}, []string{
			"spec.filesystemOverhead: clients may read it; this server goes by its flag --filesystem-overhead",
			"spec.preallocation: clients may read it; this server goes by spec.preallocation of each DataVolume",
			"spec.podResourceRequirements: clients may read it; pods that fill volumes are given what they need",
			"spec.imagePullSecrets: clients may read it; this server goes by its flag --importer-image-pull-secrets",
		}},
		"what does not count": {cdi.CDIConfigSpec{
			UploadProxyURLOverride: new("a"), ScratchSpaceStorageClass: new("a"), DataVolumeTTLSeconds: new(int32(1)), LogVerbosity: new(int32(1)),
			TLSSecurityProfile: &cdi.TLSSecurityProfile{Type: cdi.TLSProfileOldType}, WebhookPvcRendering: new(cdi.WebhookPvcRenderingEnabled),
		}, []string{
			"spec.uploadProxyURLOverride: uploads are not served, so it is stored and not acted on",
			"spec.scratchSpaceStorageClass: imports need no scratch space, so it is stored and not acted on",
			"spec.dataVolumeTTLSeconds: it is deprecated: a DataVolume stays until somebody deletes it",
			"spec.tlsSecurityProfile: it is stored and not acted on: the flags --tls-min-version and --tls-cipher-suites of the server count",
			"spec.logVerbosity: it is stored and not acted on: the flag -v of the server counts",
			"spec.webhookPvcRendering: it is stored and not acted on: claims are not completed at admission",
		}},
		"feature gates, known and unknown": {cdi.CDIConfigSpec{FeatureGates: []string{"BootcImageImport", "HonorWaitForFirstConsumer", "Nope", ""}}, []string{
			"spec.featureGates[0]: BootcImageImport is stored and not acted on",
			`spec.featureGates[2]: "Nope" is not known: known are HonorWaitForFirstConsumer, DataVolumeClaimAdoption, WebhookPvcRendering, BootcImageImport`,
			`spec.featureGates[3]: "" is not known: known are HonorWaitForFirstConsumer, DataVolumeClaimAdoption, WebhookPvcRendering, BootcImageImport`,
		}},
		"a proxy's password": {cdi.CDIConfigSpec{ImportProxy: &cdi.ImportProxy{HTTPSProxy: new("http://user:hunter2@proxy")}}, []string{
			"spec.importProxy.HTTPSProxy: it holds a user name or password, and all users may read the CDIConfig: sources are not read until it is removed",
		}},
		"an insecure registry": {cdi.CDIConfigSpec{InsecureRegistries: []string{"registry:5000"}}, nil},
		"a proxy":              {cdi.CDIConfigSpec{ImportProxy: &cdi.ImportProxy{HTTPProxy: new("http://proxy"), HTTPSProxy: new("http://proxy"), NoProxy: new(".svc"), TrustedCAProxy: new("ca")}}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			config := theConfig()
			config.Spec = test.spec
			compare(t, nil, ValidateCDIConfig(config))
			if diff := cmp.Diff(test.want, WarningsForCDIConfig(config)); diff != "" {
				t.Errorf("warnings (-want +got):\n%s", diff)
			}
			var want []string
			for _, text := range test.want {
				want = append(want, strings.Replace(text, "spec.", "spec.config.", 1))
			}
			installation := &cdi.CDI{Spec: cdi.CDISpec{Config: &test.spec}}
			if diff := cmp.Diff(want, WarningsForCDI(installation)); diff != "" {
				t.Errorf("warnings for a CDI (-want +got):\n%s", diff)
			}
		})
	}
}
