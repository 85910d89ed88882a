// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package clone

import (
	"context"
	"errors"
	"fmt"
	"maps"

	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apiserver/pkg/admission"
	"k8s.io/apiserver/pkg/admission/initializer"
	"k8s.io/apiserver/pkg/authentication/user"
	"k8s.io/apiserver/pkg/authorization/authorizer"
	"k8s.io/utils/ptr"

	"goldenimage.dev/pkg/apis/cdi"
	"goldenimage.dev/pkg/apis/cdi/requester"
	"goldenimage.dev/pkg/apis/cdi/v1beta1"
)

// PluginName is the name of the plugin in the server's flags.
const PluginName = "CloneAuthorization"

// A SourceGetter reads DataSources.
type SourceGetter interface {
	// DataSource returns a DataSource; an error that apierrors.IsNotFound knows if there is none.
	DataSource(ctx context.Context, key types.NamespacedName) (*v1beta1.DataSource, error)
}

// A Plugin refuses what its user may not clone, and notes who asked. Make one with New.
type Plugin struct {
	*admission.Handler
	authorizer authorizer.Authorizer
	sources    SourceGetter
}

var (
	_ admission.MutationInterface       = &Plugin{}
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

// Admit refuses a DataVolume whose user may not have what it clones, and notes on one that is
// let in who asked. On update it keeps the note as it was: the spec never changes.
func (p *Plugin) Admit(ctx context.Context, a admission.Attributes, _ admission.ObjectInterfaces) error {
	volume, ok := a.GetObject().(*cdi.DataVolume)
	if !ok || a.GetSubresource() != "" || byServer(a) {
		return nil
	}
	if a.GetOperation() == admission.Update {
		old, ok := a.GetOldObject().(*cdi.DataVolume)
		if !ok {
			return apierrors.NewInternalError(fmt.Errorf("update of a DataVolume that was a %T", a.GetOldObject()))
		}
		setNote(volume, old.Annotations[v1beta1.AnnCloneRequester])
		return nil
	}
	setNote(volume, "")
	allowed, err := p.checkVolume(ctx, a, volume)
	if err != nil {
		return err
	}
	if volume.Spec.SourceRef == nil && len(allowed) == 0 {
		return nil
	}
	note, err := requester.Encode(described(a.GetUserInfo(), allowed))
	if err != nil {
		return admission.NewForbidden(a, fmt.Errorf("remember who asked for it: %w", err))
	}
	setNote(volume, note)
	return nil
}

// Validate refuses a DataImportCron whose ServiceAccount may not have the claim that it imports.
func (p *Plugin) Validate(ctx context.Context, a admission.Attributes, _ admission.ObjectInterfaces) error {
	cron, ok := a.GetObject().(*cdi.DataImportCron)
	if !ok || a.GetSubresource() != "" || byServer(a) {
		return nil
	}
	if old, ok := a.GetOldObject().(*cdi.DataImportCron); ok && equality.Semantic.DeepEqual(old.Spec, cron.Spec) {
		// A permission that was taken away is no reason to refuse a label.
		return nil
	}
	source := cron.Spec.Template.Spec.Source
	if source == nil || source.PVC == nil {
		return nil
	}
	account := requester.ServiceAccount(a.GetNamespace(), ptr.Deref(cron.Spec.ServiceAccountName, ""))
	return p.check(ctx, a, &user.DefaultInfo{Name: account.Username, Groups: account.Groups}, claim(a.GetNamespace(), source.PVC))
}

// checkVolume asks for all that a DataVolume clones from other namespaces, and returns it.
func (p *Plugin) checkVolume(ctx context.Context, a admission.Attributes, volume *cdi.DataVolume) ([]requester.Source, error) {
	sources, err := p.sourcesOf(ctx, a.GetNamespace(), &volume.Spec)
	if err != nil {
		return nil, apierrors.NewInternalError(err)
	}
	var allowed []requester.Source
	for _, source := range sources {
		if source.Namespace == a.GetNamespace() {
			continue
		}
		if err := p.check(ctx, a, a.GetUserInfo(), source); err != nil {
			return nil, err
		}
		allowed = append(allowed, source)
	}
	return allowed, nil
}

// check returns why a request is refused, nil if who may have a copy of source.
func (p *Plugin) check(ctx context.Context, a admission.Attributes, who user.Info, source requester.Source) error {
	if source.Namespace == a.GetNamespace() {
		return nil
	}
	if who == nil {
		who = &user.DefaultInfo{}
	}
	var failed error
	for _, way := range source.Ways() {
		ok, err := p.all(ctx, who, source.Namespace, way)
		if ok {
			return nil
		}
		failed = errors.Join(failed, err)
	}
	if failed != nil {
		return apierrors.NewInternalError(fmt.Errorf("ask whether user %s may clone from namespace %s: %w", who.GetName(), source.Namespace, failed))
	}
	return admission.NewForbidden(a, errors.New(source.Refusal(who.GetName())))
}

// all tells whether somebody has all of some permissions in a namespace.
func (p *Plugin) all(ctx context.Context, who user.Info, namespace string, permissions []requester.Permission) (bool, error) {
	for _, permission := range permissions {
		decision, _, err := p.authorizer.Authorize(ctx, authorizer.AttributesRecord{
			User: who, Verb: "create", Namespace: namespace, ResourceRequest: true,
			APIGroup: permission.Group, APIVersion: permission.Version,
			Resource: permission.Resource, Subresource: permission.Subresource, Name: permission.Name,
		})
		if decision != authorizer.DecisionAllow {
			return false, err
		}
	}
	return true, nil
}

// byServer tells whether the server itself asks: its controllers do, by the loopback client.
func byServer(a admission.Attributes) bool {
	who := a.GetUserInfo()
	return who != nil && who.GetName() == user.APIServerUser
}

func described(who user.Info, allowed []requester.Source) requester.CloneRequester {
	if who == nil {
		return requester.CloneRequester{}
	}
	return requester.CloneRequester{
		Username: who.GetName(), UID: who.GetUID(), Groups: who.GetGroups(), Extra: who.GetExtra(), Allowed: allowed,
	}
}

// setNote gives a DataVolume a note, or none if it is empty. The map of annotations is not
// changed, since somebody else may hold it too.
func setNote(volume *cdi.DataVolume, note string) {
	annotations := maps.Clone(volume.Annotations)
	delete(annotations, v1beta1.AnnCloneRequester)
	if note != "" {
		if annotations == nil {
			annotations = map[string]string{}
		}
		annotations[v1beta1.AnnCloneRequester] = note
	}
	volume.Annotations = annotations
}
