// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package validation

import (
	"fmt"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"goldenimage.dev/pkg/apis/cdi"
	"goldenimage.dev/pkg/apis/cdi/reference"
	"goldenimage.dev/pkg/apis/cdi/schedule"
)

const (
	// oftenEnough is the shortest pause between polls that no registry minds.
	oftenEnough = time.Minute
	// digestPrefix is how many digits of a digest name an import.
	digestPrefix = 12

	annDesiredDigest = cdi.GroupName + "/storage.import.sourceDesiredDigest"
	annNextCronTime  = cdi.GroupName + "/storage.import.nextCronTime"

	// What the server writes on imports.
	labelCron         = cdi.GroupName + "/dataImportCron"
	annLastUseTime    = cdi.GroupName + "/storage.import.lastUseTime"
	annSourceDigest   = cdi.GroupName + "/storage.import.sourceDigest"
	annCloneSource    = cdi.GroupName + "/storage.clone.source"
	annCloneRequester = cdi.GroupName + "/storage.clone.requester"
)

// WarningsForDataImportCron returns what is legal but odd in a DataImportCron that is valid.
func WarningsForDataImportCron(cron *cdi.DataImportCron) []string {
	spec := &cron.Spec
	warnings := warnSchedule(spec)
	warnings = append(warnings, warnRetention(spec)...)
	warnings = append(warnings, warnImportNames(spec.ManagedDataSource)...)
	registry := registryOf(&spec.Template.Spec)
	if registry != nil && spec.ServiceAccountName != nil {
		warnings = append(warnings, "spec.serviceAccountName: it is used for a pvc source only, and this one is a registry")
	}
	warnings = append(warnings, warnTemplate(&spec.Template)...)
	if registry != nil {
		const path = "spec.template.spec.source.registry"
		if isPinned(registry) {
			warnings = append(warnings, path+".url: it names a digest, so no poll will ever find anything newer: name a tag to follow it")
		}
		warnings = append(warnings, warnRegistry(registry, path)...)
	}
	warnings = append(warnings, warnSizes(&spec.Template.Spec, field.NewPath("spec", "template", "spec"))...)
	return append(warnings, warnAnnotations(cron.Annotations)...)
}

// WarningsForDataVolume returns what is legal but odd in a DataVolume that is valid.
func WarningsForDataVolume(volume *cdi.DataVolume) []string {
	var warnings []string
	if registry := registryOf(&volume.Spec); registry != nil {
		warnings = warnRegistry(registry, "spec.source.registry")
	}
	return append(warnings, warnSizes(&volume.Spec, field.NewPath("spec"))...)
}

// WarningsForDataSource returns what is legal but odd in a DataSource that is valid.
func WarningsForDataSource(source *cdi.DataSource) []string {
	namespace := ""
	if pvc := source.Spec.Source.PVC; pvc != nil {
		namespace = pvc.Namespace
	}
	if snapshot := source.Spec.Source.Snapshot; snapshot != nil {
		namespace = snapshot.Namespace
	}
	if namespace == "" || namespace == source.Namespace {
		return nil
	}
	return []string{fmt.Sprintf("spec.source: it lies in namespace %s: whoever clones it elsewhere needs to be allowed to create datavolumes/source in there", namespace)}
}

func warnSchedule(spec *cdi.DataImportCronSpec) []string {
	var warnings []string
	// An empty schedule is an error too, and usual: such a DataImportCron is triggered.
	if times, err := schedule.Parse(spec.Schedule); err == nil && times.Period() < oftenEnough {
		warnings = append(warnings, fmt.Sprintf("spec.schedule: the source is polled every %s, more often than registries allow", times.Period()))
	}
	if spec.Schedule == "" && spec.Suspend != nil && *spec.Suspend {
		warnings = append(warnings, "spec.suspend: there is no schedule to suspend: without one the source is polled only when a trigger asks for it")
	}
	return warnings
}

// warnImportNames looks at what imports are named. All names fit, but those that are longer
// than a label's value cannot be what tools of others select by.
func warnImportNames(managed string) []string {
	length := len(managed) + 1 + digestPrefix
	if managed == "" || length <= validation.LabelValueMaxLength {
		return nil
	}
	return []string{fmt.Sprintf("spec.managedDataSource: imports are named <managedDataSource>-<%d hex digits>: with %d characters that is more than the %d that fit a label, which others may select claims by",
		digestPrefix, length, validation.LabelValueMaxLength)}
}

// warnTemplate looks at the metadata of a template. What is not copied is ignored.
func warnTemplate(template *cdi.DataVolume) []string {
	const path = "spec.template.metadata"
	var warnings []string
	if template.Name != "" || template.GenerateName != "" || template.Namespace != "" {
		warnings = append(warnings, path+": name, generateName and namespace are ignored: imports are named <managedDataSource>-<12 hex digits> and made in the namespace of the DataImportCron")
	}
	if len(template.Finalizers) > 0 || len(template.OwnerReferences) > 0 {
		warnings = append(warnings, path+": finalizers and ownerReferences are ignored: of the metadata, labels and annotations are copied")
	}
	reserved := func(member string, given map[string]string, names []string) {
		for _, name := range names {
			if _, ok := given[name]; ok {
				warnings = append(warnings, fmt.Sprintf("%s.%s[%s]: the server says itself what an import has there, and ignores this", path, member, name))
			}
		}
	}
	reserved("labels", template.Labels, []string{labelCron, labelCron + ".cleanup"})
	reserved("annotations", template.Annotations, []string{annLastUseTime, annSourceDigest, annCloneSource, annCloneSource + "UID", annCloneRequester})
	return warnings
}

// warnSizes looks at how large a volume shall be. Quantities such as 1.1Gi are common.
func warnSizes(spec *cdi.DataVolumeSpec, path *field.Path) []string {
	var warnings []string
	for _, c := range claimsOf(spec, path) {
		size := c.resources.Requests[corev1.ResourceStorage]
		if isAbsurd(size) || size.CmpInt64(maxSize) > 0 {
			continue
		}
		if whole := resource.NewQuantity(size.Value(), size.Format); size.Cmp(*whole) != 0 {
			warnings = append(warnings, fmt.Sprintf("%s: it is no whole number of bytes, and rounded up to %d",
				c.path.Child("resources", "requests", "storage"), size.Value()))
		}
	}
	return warnings
}

func warnRetention(spec *cdi.DataImportCronSpec) []string {
	var warnings []string
	if spec.ImportsToKeep != nil && *spec.ImportsToKeep == 0 {
		warnings = append(warnings, "spec.importsToKeep: with 0 the published import alone is kept, and none to go back to")
	}
	if spec.GarbageCollect != nil && *spec.GarbageCollect == cdi.DataImportCronGarbageCollectNever {
		warnings = append(warnings, "spec.garbageCollect: with Never all imports are kept, whatever importsToKeep says, and fill the storage in the end")
	}
	return warnings
}

func registryOf(spec *cdi.DataVolumeSpec) *cdi.DataVolumeSourceRegistry {
	if spec.Source == nil {
		return nil
	}
	return spec.Source.Registry
}

func isPinned(registry *cdi.DataVolumeSourceRegistry) bool {
	if registry.URL == nil {
		return false
	}
	parsed, err := reference.Parse(*registry.URL)
	return err == nil && parsed.Digest() != ""
}

func warnRegistry(registry *cdi.DataVolumeSourceRegistry, path string) []string {
	var warnings []string
	if isPinned(registry) && strings.Contains(lastSegment(*registry.URL), ":") {
		warnings = append(warnings, path+".url: it names a tag and a digest: the digest counts, the tag is ignored")
	}
	// Those that golden images are published for.
	known := []string{"", "amd64", "arm64", "s390x", "ppc64le", "riscv64"}
	if platform := registry.Platform; platform != nil && !slices.Contains(known, platform.Architecture) {
		warnings = append(warnings, fmt.Sprintf("%s.platform.architecture: %q is not one that images usually name: %s", path, platform.Architecture, strings.Join(known[1:], ", ")))
	}
	return warnings
}

// lastSegment returns what names an image within its registry's path, without the digest.
func lastSegment(url string) string {
	name, _, _ := strings.Cut(url, "@")
	return name[strings.LastIndexByte(name, '/')+1:]
}

// warnAnnotations looks at the annotations by which clients ask for polls and imports.
func warnAnnotations(annotations map[string]string) []string {
	var warnings []string
	if text := annotations[annNextCronTime]; text != "" {
		if _, err := time.Parse(time.RFC3339, text); err != nil {
			warnings = append(warnings, fmt.Sprintf("metadata.annotations[%s]: it is not a time such as 2006-01-02T15:04:05Z", annNextCronTime))
		}
	}
	if digest := annotations[annDesiredDigest]; digest != "" && !isDigest(digest) {
		warnings = append(warnings, fmt.Sprintf("metadata.annotations[%s]: it is not a digest such as sha256:<64 hex digits>", annDesiredDigest))
	}
	return warnings
}

func isDigest(digest string) bool {
	for _, prefix := range []string{"sha256:", "uid:", "etag:", "modified:"} {
		if rest, ok := strings.CutPrefix(digest, prefix); ok {
			return len(rest) >= digestPrefix
		}
	}
	return false
}
