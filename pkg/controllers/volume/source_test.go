// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package volume

import (
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"goldenimage.dev/pkg/apis/cdi/v1beta1"
	"goldenimage.dev/test/gen"
)

func TestTheClaimThatWasFoundIsCopiedOrNone(t *testing.T) {
	for name, test := range map[string]struct {
		digest, want string
	}{
		"it is the same":    {digest: "uid:source-uid"},
		"it was made anew":  {digest: "uid:another", want: "CloneSourceChanged: The source pvc golden-images/src was made anew: it is uid:source-uid, and uid:another was to be copied"},
		"it was not looked": {},
	} {
		t.Run(name, func(t *testing.T) {
			dv := cloneVolume("csi", gen.Namespace, "src", func(dv *v1beta1.DataVolume) {
				metav1.SetMetaDataAnnotation(&dv.ObjectMeta, v1beta1.AnnSourceDigest, test.digest)
			})
			w := newWorld(t, append(append(infrastructure(), dv), sourceClaim(gen.Namespace, "src")...)...)
			got := w.settle()
			if test.want == "" {
				if got.Status.Phase != v1beta1.Succeeded {
					t.Errorf("phase %s", got.Status.Phase)
				}
				return
			}
			w.expect(running, test.want)
		})
	}
}
