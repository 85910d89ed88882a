// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package clone

import (
	"context"
	"errors"
	"fmt"

	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apiserver/pkg/admission"
	"k8s.io/apiserver/pkg/admission/initializer"
	"k8s.io/apiserver/pkg/authentication/user"
	"k8s.io/apiserver/pkg/authorization/authorizer"
	"k8s.io/utils/ptr"

	"goldenimage.dev/pkg/apis/cdi"
	"goldenimage.dev/pkg/apis/cdi/v1beta1"
)

// PluginName is the name of the plugin in the server's flags.
const PluginName = "CloneAuthorization"

// maxDepth is how many DataSources are followed to the claim.
const maxDepth = 2

// A SourceGetter reads DataSources.
type SourceGetter interface {
	// DataSource returns a DataSource; an error that apierrors.IsNotFound knows if there is none.
	DataSource(ctx context.Context, key types.NamespacedName) (*v1beta1.DataSource, error)
}

// A Plugin refuses what its user may not clone. Make one with New.
type Plugin struct {
	*admission.Handler
	authorizer authorizer.Authorizer
	sources    SourceGetter
}

var (
	_ admission.ValidationInterface     = &Plugin{}
	_ admission.InitializationValidator = &Plugin{}
	_ initializer.WantsAuthorizer       = &Plugin{}
)

// New returns a Plugin that needs an authorizer and a SourceGetter yet.
func New() *Plugin {
	return &Plugin{Handler: admission.NewHandler(admission.Create, admission.Update)}
}

// SetAuthorizer tells whom to ask.
func (p *Plugin) SetAuthorizer(a authorizer.Authorizer) { p.authorizer = a }

// SetSourceGetter tells where DataSources are.
func (p *Plugin) SetSourceGetter(sources SourceGetter) { p.sources = sources }

// ValidateInitialization tells what is missing.
func (p *Plugin) ValidateInitialization() error {
	if p.authorizer == nil || p.sources == nil {
		return errors.New(PluginName + " has no authorizer or no way to read DataSources")
	}
	return nil
}

// Validate refuses a request whose user may not clone what it names.
func (p *Plugin) Validate(ctx context.Context, a admission.Attributes, _ admission.ObjectInterfaces) error {
	if a.GetSubresource() != "" {
		return nil
	}
	var claims []types.NamespacedName
	var err error
	switch obj := a.GetObject().(type) {
	case *cdi.DataVolume:
		if a.GetOperation() == admission.Create { // the spec never changes later
			claims, err = p.ofVolume(ctx, obj, a.GetNamespace())
		}
	case *cdi.DataSource:
		old, _ := a.GetOldObject().(*cdi.DataSource)
		if old == nil || !equality.Semantic.DeepEqual(old.Spec, obj.Spec) {
			claims = ofSource(obj)
		}
	}
	if err != nil {
		return err
	}
	for _, claim := range claims {
		if claim.Namespace == "" || claim.Namespace == a.GetNamespace() {
			continue
		}
		if err := p.allowed(ctx, a.GetUserInfo(), claim); err != nil {
			return admission.NewForbidden(a, err)
		}
	}
	return nil
}

// ofVolume returns what a DataVolume names, and what that points to now. A name may be empty.
func (p *Plugin) ofVolume(ctx context.Context, volume *cdi.DataVolume, namespace string) ([]types.NamespacedName, error) {
	var claims []types.NamespacedName
	if source := volume.Spec.Source; source != nil {
		if source.PVC != nil {
			claims = append(claims, types.NamespacedName{Namespace: source.PVC.Namespace, Name: source.PVC.Name})
		}
		if source.Snapshot != nil {
			claims = append(claims, types.NamespacedName{Namespace: source.Snapshot.Namespace, Name: source.Snapshot.Name})
		}
	}
	if ref := volume.Spec.SourceRef; ref != nil {
		at := types.NamespacedName{Namespace: ptr.Deref(ref.Namespace, ""), Name: ref.Name}
		if at.Namespace == "" {
			at.Namespace = namespace
		}
		claims = append(claims, types.NamespacedName{Namespace: at.Namespace})
		found, err := p.behind(ctx, at)
		if err != nil {
			return nil, err
		}
		claims = append(claims, found...)
	}
	return claims, nil
}

// behind follows a DataSource to what it points to.
func (p *Plugin) behind(ctx context.Context, at types.NamespacedName) ([]types.NamespacedName, error) {
	var claims []types.NamespacedName
	for range maxDepth {
		source, err := p.sources.DataSource(ctx, at)
		if apierrors.IsNotFound(err) {
			return claims, nil
		}
		if err != nil {
			return nil, fmt.Errorf("read DataSource %s: %w", at, err)
		}
		spec := source.Spec.Source
		for _, claim := range []types.NamespacedName{keyOf(spec.PVC), snapshotKey(spec.Snapshot)} {
			if claim.Name != "" {
				claims = append(claims, claim)
			}
		}
		if spec.DataSource == nil {
			return claims, nil
		}
		at.Name = spec.DataSource.Name
		if spec.DataSource.Namespace != "" {
			at.Namespace = spec.DataSource.Namespace
		}
		claims = append(claims, types.NamespacedName{Namespace: at.Namespace})
	}
	return claims, nil
}

func keyOf(claim *v1beta1.DataVolumeSourcePVC) types.NamespacedName {
	if claim == nil {
		return types.NamespacedName{}
	}
	return types.NamespacedName{Namespace: claim.Namespace, Name: claim.Name}
}

func snapshotKey(snapshot *v1beta1.DataVolumeSourceSnapshot) types.NamespacedName {
	if snapshot == nil {
		return types.NamespacedName{}
	}
	return types.NamespacedName{Namespace: snapshot.Namespace, Name: snapshot.Name}
}

// ofSource returns what a DataSource names.
func ofSource(source *cdi.DataSource) []types.NamespacedName {
	var claims []types.NamespacedName
	if pvc := source.Spec.Source.PVC; pvc != nil {
		claims = append(claims, types.NamespacedName{Namespace: pvc.Namespace, Name: pvc.Name})
	}
	if snapshot := source.Spec.Source.Snapshot; snapshot != nil {
		claims = append(claims, types.NamespacedName{Namespace: snapshot.Namespace, Name: snapshot.Name})
	}
	return claims
}

// allowed asks for one of two permissions in the source's namespace: to create
// datavolumes/source, or pods, which could read the volume themselves.
func (p *Plugin) allowed(ctx context.Context, who user.Info, claim types.NamespacedName) error {
	for _, request := range []authorizer.AttributesRecord{
		{APIGroup: cdi.GroupName, APIVersion: v1beta1.SchemeGroupVersion.Version, Resource: "datavolumes", Subresource: v1beta1.DataVolumeCloneSourceSubresource, Name: claim.Name},
		{APIVersion: metav1.SchemeGroupVersion.Version, Resource: "pods"},
	} {
		request.User, request.Verb, request.Namespace, request.ResourceRequest = who, "create", claim.Namespace, true
		decision, _, err := p.authorizer.Authorize(ctx, request)
		if decision == authorizer.DecisionAllow {
			return nil
		}
		if err != nil {
			return fmt.Errorf("ask whether user %s may clone from namespace %s: %w", who.GetName(), claim.Namespace, err)
		}
	}
	return fmt.Errorf("User %s has insufficient permissions in clone source namespace %s: create on datavolumes/source (ClusterRole cdi.kubevirt.io:clone-sourcer) or on pods is needed there", //nolint:staticcheck // CDI's words, which clients know
		who.GetName(), claim.Namespace)
}
