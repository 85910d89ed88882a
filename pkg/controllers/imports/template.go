// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package imports

import (
	"cmp"
	"fmt"
	"hash/fnv"
	"maps"
	"regexp"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"goldenimage.dev/pkg/apis/cdi/reference"
	"goldenimage.dev/pkg/apis/cdi/requester"
	"goldenimage.dev/pkg/apis/cdi/v1beta1"
	"goldenimage.dev/pkg/controllers/lineage"
)

const (
	// digestInName is how much of a digest a name holds.
	digestInName = 12
	// maxName of an object.
	maxName = 253
)

var (
	// A name is made from the first 12 characters, so they must be able to end one.
	digestPattern = regexp.MustCompile(`^(sha256:[0-9a-f]{12,128}|uid:[0-9a-f][0-9a-f-]{10}[0-9a-f][0-9a-f-]{0,52})$`)
	filePattern   = regexp.MustCompile(`^(etag|modified|sha256):[0-9a-f]{64}$`)
	sha256Pattern = regexp.MustCompile(`^sha256:[0-9a-f]{64}$`)
)

// checkDigest returns what is wrong with a digest of a cron's source.
func checkDigest(cron *v1beta1.DataImportCron, digest string) error {
	const shown = 100
	if registryURL(cron) != "" || imageStream(cron) != "" {
		if !sha256Pattern.MatchString(digest) {
			return fmt.Errorf("annotation %s is %.*q: of an image it is sha256: and 64 lower case hex digits", v1beta1.AnnSourceDesiredDigest, shown, digest)
		}
		return nil
	}
	if src := cron.Spec.Template.Spec.Source; src != nil && src.HTTP != nil {
		if !filePattern.MatchString(digest) {
			return fmt.Errorf("annotation %s is %.*q: of a file it is sha256:, etag: or modified: and 64 lower case hex digits", v1beta1.AnnSourceDesiredDigest, shown, digest)
		}
		return nil
	}
	if !digestPattern.MatchString(digest) {
		return fmt.Errorf("annotation %s is %.*q: accepted are sha256: or uid: and 12 or more lower case hex digits", v1beta1.AnnSourceDesiredDigest, shown, digest)
	}
	return nil
}

func registryURL(cron *v1beta1.DataImportCron) string {
	src := cron.Spec.Template.Spec.Source
	if src == nil || src.Registry == nil {
		return ""
	}
	return ptr.Deref(src.Registry.URL, "")
}

func imageStream(cron *v1beta1.DataImportCron) string {
	src := cron.Spec.Template.Spec.Source
	if src == nil || src.Registry == nil {
		return ""
	}
	return ptr.Deref(src.Registry.ImageStream, "")
}

// importName returns the name of the import of a digest that passed checkDigest. With a
// requestID it is that of an import beside the usual one.
func importName(cron *v1beta1.DataImportCron, digest, requestID string) string {
	_, rest, _ := strings.Cut(digest, ":")
	suffix := "-" + rest[:digestInName]
	if requestID != "" {
		suffix += "-" + hash(requestID)
	}
	name := cron.Spec.ManagedDataSource
	if keep := maxName - len(suffix); len(name) > keep {
		tail := "-" + hash(name)
		name = name[:keep-len(tail)] + tail
	}
	return name + suffix
}

// hash returns 6 hex digits for a text. Two texts that share them are one import, not harm.
func hash(text string) string {
	sum := fnv.New32a()
	_, _ = sum.Write([]byte(text))
	return fmt.Sprintf("%06x", sum.Sum32()&0xffffff)
}

// newVolume returns the DataVolume that imports a digest: the template, with the source pinned
// to that digest so that the tag is not read a second time. A claim in another namespace is
// cloned as the cron's ServiceAccount, which the DataVolume remembers.
func newVolume(cron *v1beta1.DataImportCron, name, digest, requestID string, now time.Time) (*v1beta1.DataVolume, error) {
	template := cron.Spec.Template.DeepCopy()
	volume := &v1beta1.DataVolume{
		ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: cron.Namespace, Labels: map[string]string{}, Annotations: map[string]string{}},
		Spec:       template.Spec,
	}
	maps.Copy(volume.Labels, template.Labels)
	delete(volume.Labels, v1beta1.LabelDataImportCronCleanup)
	maps.Copy(volume.Labels, lineage.Labels(cron))
	maps.Copy(volume.Annotations, template.Annotations)
	// This client may write what users may not.
	delete(volume.Annotations, v1beta1.AnnCloneSource)
	delete(volume.Annotations, v1beta1.AnnCloneSourceUID)
	delete(volume.Annotations, v1beta1.AnnCloneRequester)
	volume.Annotations[v1beta1.AnnImmediateBind] = "true"
	volume.Annotations[v1beta1.AnnLastUseTime] = now.UTC().Format(time.RFC3339Nano)
	volume.Annotations[v1beta1.AnnSourceDigest] = digest
	if requestID != "" {
		volume.Annotations[v1beta1.AnnForcedBy] = requestID
	}
	if url := registryURL(cron); url != "" {
		ref, err := reference.Parse(url)
		if err != nil {
			return nil, fmt.Errorf("pin source: %w", err)
		}
		volume.Spec.Source.Registry.URL = new(ref.Pin(digest).URL())
	}
	if imageStream(cron) != "" {
		ref, err := streamImage(cron, digest)
		if err != nil {
			return nil, fmt.Errorf("pin source: %w", err)
		}
		volume.Spec.Source.Registry.URL, volume.Spec.Source.Registry.ImageStream = new(ref.URL()), nil
	}
	pinFile(cron, volume, digest)
	if source := volume.Spec.Source; source != nil && source.PVC != nil {
		source.PVC.Namespace = cmp.Or(source.PVC.Namespace, cron.Namespace)
		if source.PVC.Namespace != cron.Namespace {
			note, err := requester.Encode(account(cron))
			if err != nil {
				return nil, fmt.Errorf("note who clones: %w", err)
			}
			volume.Annotations[v1beta1.AnnCloneRequester] = note
		}
	}
	return volume, nil
}

// streamImage returns the image of an ImageStream's tag at a digest. A poll notes it with the
// digest; who sets a digest by hand has to tell whose it is.
func streamImage(cron *v1beta1.DataImportCron, digest string) (reference.Reference, error) {
	const annotation, shown = v1beta1.AnnImageStreamDockerRef, 300
	text := cron.Annotations[annotation]
	if text == "" {
		return reference.Reference{}, fmt.Errorf("annotation %s is missing, which names the image that %s belongs to: a poll sets both, or set them together", annotation, digest)
	}
	ref, err := reference.ParseName(text)
	if err != nil {
		return reference.Reference{}, fmt.Errorf("annotation %s: %w", annotation, err)
	}
	if other := ref.Digest(); other != "" && other != digest {
		return reference.Reference{}, fmt.Errorf("annotation %s is %.*q, whose digest is not that of the annotation %s, %s: a poll sets both, or set them together",
			annotation, shown, text, v1beta1.AnnSourceDesiredDigest, digest)
	}
	return ref.Pin(digest), nil
}

// pinFile gives the source of a file the checksum that was published with it, if there was one
// and the user gave none. The annotation with the digest pins the rest.
func pinFile(cron *v1beta1.DataImportCron, volume *v1beta1.DataVolume, digest string) {
	source, found := volume.Spec.Source, cron.Status.Source
	if source == nil || source.HTTP == nil || source.HTTP.Checksum != "" || found == nil {
		return
	}
	if (digest == found.Digest || digest == found.ImportDigest) && sha256Pattern.MatchString(found.ContentDigest) {
		source.HTTP.Checksum = found.ContentDigest
	}
}

// account is the ServiceAccount that a cron's clones are authorized for.
func account(cron *v1beta1.DataImportCron) requester.CloneRequester {
	return requester.ServiceAccount(cron.Namespace, ptr.Deref(cron.Spec.ServiceAccountName, ""))
}

// byAnotherAccount tells whether a DataVolume is not to be authorized for the ServiceAccount
// that the cron names now.
func byAnotherAccount(cron *v1beta1.DataImportCron, volume *v1beta1.DataVolume) bool {
	who, err := requester.Decode(volume.Annotations[v1beta1.AnnCloneRequester])
	return err != nil || who.Username != account(cron).Username
}

// storageClass returns the class that a cron's template names, "" if it names none.
func storageClass(cron *v1beta1.DataImportCron) string {
	spec := &cron.Spec.Template.Spec
	switch {
	case spec.PVC != nil:
		return ptr.Deref(spec.PVC.StorageClassName, "")
	case spec.Storage != nil:
		return ptr.Deref(spec.Storage.StorageClassName, "")
	}
	return ""
}
