// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package datasource

import (
	"maps"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"

	"goldenimage.dev/pkg/apis/cdi/v1beta1"
	"goldenimage.dev/pkg/controllers/lineage"
)

// input is what a decision is made from.
type input struct {
	source *v1beta1.DataSource
	// target is the DataSource that source points to, nil if there is none.
	target *v1beta1.DataSource
	// claim that source points to, itself or by target, and the DataVolume of that name; nil
	// if there is none.
	claim  *corev1.PersistentVolumeClaim
	volume *v1beta1.DataVolume
}

// decision is what to write.
type decision struct {
	ready v1beta1.ConditionState
	// resolved is empty unless ready.
	resolved v1beta1.DataSourceSource
	// labels that the image has and the DataSource shall have; nil for none.
	labels map[string]string
}

// decide tells whether a DataSource can be cloned. The reasons are listed in reasons.go.
func decide(in input) decision {
	direct, refused := in.direct()
	if refused != nil {
		return decision{ready: *refused}
	}
	switch to := direct.Spec.Source; {
	case to.PVC != nil:
		return in.claimed(claimOf(direct))
	case to.Snapshot != nil:
		return decision{ready: no(ReasonSnapshotNotSupported,
			"This server cannot clone VolumeSnapshots: let the DataSource point to a PVC instead")}
	}
	return decision{ready: no(ReasonNoSource, messageNoSource)}
}

// direct returns the DataSource that names the image: the source itself, or the one it points
// to. If it must not point there, it returns the condition.
func (in input) direct() (*v1beta1.DataSource, *v1beta1.ConditionState) {
	to, ok := pointer(in.source)
	if !ok {
		return in.source, nil
	}
	var state v1beta1.ConditionState
	switch {
	case to.Namespace != in.source.Namespace:
		state = no(ReasonCrossNamespace, messageCrossNamespace)
	case to.Name == in.source.Name:
		state = no(ReasonSelfReference, messageSelfReference)
	case in.target == nil:
		state = no(ReasonNotFound, apierrors.NewNotFound(v1beta1.Resource("datasources"), to.Name).Error())
	case in.target.Spec.Source.DataSource != nil:
		state = no(ReasonMaxDepth, messageMaxDepth)
	default:
		return in.target, nil
	}
	return nil, &state
}

// claimed decides for a DataSource that points to a claim.
func (in input) claimed(key types.NamespacedName) decision {
	switch {
	case in.volume != nil && in.volume.Status.Phase != v1beta1.Succeeded:
		phase := string(in.volume.Status.Phase)
		if phase == "" {
			// A reason may not be empty.
			phase = string(v1beta1.Pending)
		}
		return decision{ready: no(phase, messagePhase+phase)}
	case in.claim == nil:
		return decision{ready: no(ReasonNotFound, messageNoClaim)}
	case in.claim.DeletionTimestamp != nil:
		return decision{ready: no(ReasonClaimDeleted, "PVC is being deleted")}
	case in.claim.Status.Phase == corev1.ClaimLost:
		return decision{ready: no(ReasonClaimLost, "PVC has lost its volume: delete it and let it be made again")}
	case in.claim.Status.Phase != corev1.ClaimBound:
		return decision{ready: no(ReasonClaimPending, "PVC is not bound to a volume yet")}
	case !lineage.Complete(in.volume, in.claim) && !in.foreignClaim():
		return decision{ready: no(ReasonNotPopulated, "PVC does not hold a complete image: delete it and let it be made again")}
	}
	d := decision{
		ready:    v1beta1.ConditionState{Status: corev1.ConditionTrue, Reason: ReasonReady, Message: messageReady},
		resolved: v1beta1.DataSourceSource{PVC: &v1beta1.DataVolumeSourcePVC{Namespace: key.Namespace, Name: key.Name}},
	}
	if in.source.Labels[v1beta1.LabelDataImportCron] == "" {
		d.labels = in.labels()
	}
	return d
}

// foreignClaim tells whether a claim was not this server's to fill. It may have had a DataVolume
// of CDI's, which is gone.
func (in input) foreignClaim() bool {
	return in.claim.Annotations[v1beta1.AnnPopulationMethod] == ""
}

// labels returns those of the image that tools look for on the DataSource.
func (in input) labels() map[string]string {
	labels := map[string]string{}
	if in.volume != nil {
		maps.Copy(labels, lineage.Travelling(in.volume.Labels))
	}
	maps.Copy(labels, lineage.Travelling(in.claim.Labels))
	return labels
}

// pointer returns the DataSource that source points to, if it does.
func pointer(source *v1beta1.DataSource) (types.NamespacedName, bool) {
	to := source.Spec.Source.DataSource
	if to == nil {
		return types.NamespacedName{}, false
	}
	key := types.NamespacedName{Namespace: to.Namespace, Name: to.Name}
	if key.Namespace == "" {
		key.Namespace = source.Namespace
	}
	return key, true
}

// claimOf returns the key of the claim that source names itself; its name is "" if it names
// none.
func claimOf(source *v1beta1.DataSource) types.NamespacedName {
	to := source.Spec.Source.PVC
	if to == nil {
		return types.NamespacedName{}
	}
	key := types.NamespacedName{Namespace: to.Namespace, Name: to.Name}
	if key.Namespace == "" {
		key.Namespace = source.Namespace
	}
	return key
}

func no(reason, message string) v1beta1.ConditionState {
	return v1beta1.ConditionState{Status: corev1.ConditionFalse, Reason: reason, Message: message}
}
