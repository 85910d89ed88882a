// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package volume

import (
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/cache"

	"goldenimage.dev/pkg/apis/cdi/v1beta1"
)

// Annotations that only this controller reads.
const (
	// annVolume on worker pods, prime claims and volumes that are being handed over is the
	// namespace/name of the DataVolume that they serve.
	annVolume = v1beta1.GroupName + "/storage.dataVolume"
	// annReclaimPolicy on a volume that is being handed over is the policy that it had before.
	annReclaimPolicy = v1beta1.GroupName + "/storage.reclaimPolicy"
	// annVolumeUID on such a volume is the UID of its DataVolume.
	annVolumeUID = v1beta1.GroupName + "/storage.dataVolumeUID"
	// annClaimUID on a worker pod is the UID of the claim that it fills.
	annClaimUID = v1beta1.GroupName + "/storage.claimUID"
	// annRestarts on a worker pod is how often the transfer had been begun anew before it.
	annRestarts = v1beta1.GroupName + "/storage.restarts"

	// annPopulatedFor on a claim names the DataVolume that it was restored for.
	annPopulatedFor = v1beta1.GroupName + "/storage.populatedFor"
	// annAllowAdoption on a claim, with the value "true", lets a DataVolume of its name take it.
	annAllowAdoption = v1beta1.GroupName + "/allowClaimAdoption"
	// annUsePopulator on a DataVolume, with the value "true" or "false", chooses the method.
	annUsePopulator = v1beta1.GroupName + "/storage.usePopulator"

	// annSelectedNode on a claim is the node that its first consumer was scheduled to.
	annSelectedNode     = "volume.kubernetes.io/selected-node"
	annDefaultClass     = "storageclass.kubernetes.io/is-default-class"
	annDefaultVirtClass = "storageclass.kubevirt.io/is-default-virt-class"

	// labelComponent tells worker pods apart from whatever else the server may make.
	labelComponent = "app.kubernetes.io/component"
	componentName  = "importer"
	containerName  = "importer"

	yes = "true"
)

// maxName is what a Pod's name may have so that it is its host name too.
const maxName = 63

func primeName(dv *v1beta1.DataVolume) string {
	return "prime-" + string(dv.UID)
}

// workerName is readable, and another one for another DataVolume of the same name, so that a
// worker which takes long to end does not stand in the way.
func workerName(dv *v1beta1.DataVolume) string {
	unique, _, _ := strings.Cut(string(dv.UID), "-")
	unique = "-" + unique
	name := "importer-" + strings.ReplaceAll(dv.Name, ".", "-")
	if keep := maxName - len(unique); len(name) > keep {
		name = strings.TrimRight(name[:keep], "-")
	}
	return name + unique
}

func keyOf(obj metav1.Object) types.NamespacedName {
	return types.NamespacedName{Namespace: obj.GetNamespace(), Name: obj.GetName()}
}

// parseKey reads namespace/name; ok is false for anything else.
func parseKey(value string) (key types.NamespacedName, ok bool) {
	namespace, name, err := cache.SplitMetaNamespaceKey(value)
	if err != nil || namespace == "" || name == "" {
		return key, false
	}
	return types.NamespacedName{Namespace: namespace, Name: name}, true
}

// serves tells whether a worker pod or prime claim was made for a DataVolume.
func serves(obj metav1.Object, dv *v1beta1.DataVolume) bool {
	return obj.GetLabels()[v1beta1.LabelDataVolumeUID] == string(dv.UID) &&
		obj.GetAnnotations()[annVolume] == keyOf(dv).String()
}

func populated(obj metav1.Object) bool {
	return obj.GetAnnotations()[v1beta1.AnnPopulated] == yes
}
