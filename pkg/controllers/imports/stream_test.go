// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package imports

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"goldenimage.dev/pkg/apis/cdi/v1beta1"
	"goldenimage.dev/test/gen"
)

func TestImagesOfImageStreamsArePinned(t *testing.T) {
	const repository = "registry.example.com/rhel8/guest"
	digest, other := gen.Digest("a"), gen.Digest("b")
	for name, test := range map[string]struct {
		// image is the annotation, "" for none.
		image string
		// url that is imported; or, if it is "", parts of the error.
		url    string
		errors []string
	}{
		"by the digest that the reference has": {image: repository + "@" + digest, url: "docker://" + repository + "@" + digest},
		"by digest if the reference has a tag": {image: repository + ":8", url: "docker://" + repository + "@" + digest},
		"with a port":                          {image: "registry:5000/guest", url: "docker://registry:5000/guest@" + digest},
		"with a scheme":                        {image: "docker://" + repository, url: "docker://" + repository + "@" + digest},
		"not without a reference":              {errors: []string{v1beta1.AnnImageStreamDockerRef + " is missing", digest, "set them together"}},
		"not by a digest of another image":     {image: repository + "@" + other, errors: []string{repository, digest, other, "set them together"}},
		"not by what is no reference":          {image: "a b", errors: []string{v1beta1.AnnImageStreamDockerRef, "not an image reference"}},
	} {
		t.Run(name, func(t *testing.T) {
			source := v1beta1.DataVolumeSource{Registry: &v1beta1.DataVolumeSourceRegistry{
				ImageStream: new("rhel8-is:8"), PullMethod: new(v1beta1.RegistryPullNode), SecretRef: new("credentials"),
			}}
			cron := gen.DataImportCron(cronName, gen.WithSource(source), gen.WithAnnotation(v1beta1.AnnImageStreamDockerRef, test.image))
			got, err := newVolume(cron, importName(cron, digest, ""), digest, "", gen.Epoch())
			if test.url == "" {
				if err == nil {
					t.Fatalf("imports %+v", got.Spec.Source.Registry)
				}
				for _, part := range test.errors {
					if !strings.Contains(err.Error(), part) {
						t.Errorf("error %q lacks %q", err, part)
					}
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			want := v1beta1.DataVolumeSourceRegistry{URL: &test.url, PullMethod: new(v1beta1.RegistryPullNode), SecretRef: new("credentials")}
			if diff := cmp.Diff(&want, got.Spec.Source.Registry); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if is := *cron.Spec.Template.Spec.Source.Registry.ImageStream; is != "rhel8-is:8" {
				t.Errorf("the cron names %q now", is)
			}
		})
	}
}

func TestDigestsOfImageStreams(t *testing.T) {
	cron := gen.DataImportCron(cronName, gen.WithSource(v1beta1.DataVolumeSource{
		Registry: &v1beta1.DataVolumeSourceRegistry{ImageStream: new("rhel8-is")},
	}))
	for digest, ok := range map[string]bool{gen.Digest("a"): true, "sha256:aaaaaaaaaaaaa": false, "uid:1b4e28ba-2fa1-11d2-883f-0016d3cca427": false} {
		if err := checkDigest(cron, digest); (err == nil) != ok {
			t.Errorf("%s: %v", digest, err)
		}
	}
}
