// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package dataimportcron

import (
	"context"
	"strconv"

	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apiserver/pkg/registry/rest"

	"goldenimage.dev/pkg/apis/cdi"
)

// store is an etcd that holds one DataImportCron, with what the registry does around it.
type store struct {
	cron   *cdi.DataImportCron
	writes int
	// meanwhile is what somebody else writes between read and write, once.
	meanwhile func(*cdi.DataImportCronStatus)
	// err is what a write fails with.
	err error
}

func (s *store) New() runtime.Object { return &cdi.DataImportCron{} }

func (s *store) Update(ctx context.Context, name string, info rest.UpdatedObjectInfo, _ rest.ValidateObjectFunc, _ rest.ValidateObjectUpdateFunc, forceAllowCreate bool, options *metav1.UpdateOptions) (runtime.Object, bool, error) {
	if s.cron == nil || name != s.cron.Name || forceAllowCreate {
		return nil, false, apierrors.NewNotFound(cdi.Resource("dataimportcrons"), name)
	}
	for {
		current := s.cron.DeepCopy()
		updated, err := info.UpdatedObject(ctx, current)
		if err != nil {
			return nil, false, err
		}
		if s.meanwhile != nil {
			s.meanwhile(&s.cron.Status)
			s.meanwhile = nil
			continue
		}
		if s.err != nil {
			return nil, false, s.err
		}
		if equality.Semantic.DeepEqual(current, updated) || len(options.DryRun) > 0 {
			return updated, false, nil
		}
		s.cron = updated.(*cdi.DataImportCron).DeepCopy()
		s.writes++
		s.cron.ResourceVersion = strconv.Itoa(s.writes)
		return s.cron.DeepCopy(), false, nil
	}
}

var _ rest.Updater = &store{}
