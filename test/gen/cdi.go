// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package gen

import (
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"goldenimage.dev/pkg/apis/cdi/v1beta1"
)

// Values of a DataImportCron unless modifiers say others.
const (
	// URL of the source.
	URL = "docker://registry.example/fedora:latest"
	// Schedule of the polls: at 01:30 on Mondays.
	Schedule = "30 1 * * 1"
	// ManagedDataSource is the DataSource's name.
	ManagedDataSource = "fedora"
)

// DataImportCron returns one that polls URL on Schedule for ManagedDataSource, with the defaults
// of the API.
func DataImportCron(name string, modifiers ...Modifier) *v1beta1.DataImportCron {
	cron := &v1beta1.DataImportCron{Spec: v1beta1.DataImportCronSpec{
		Schedule:          Schedule,
		ManagedDataSource: ManagedDataSource,
		Template: v1beta1.DataVolume{Spec: v1beta1.DataVolumeSpec{
			Source:  &v1beta1.DataVolumeSource{Registry: &v1beta1.DataVolumeSourceRegistry{URL: new(URL)}},
			Storage: &v1beta1.StorageSpec{Resources: requests("5Gi")},
		}},
	}}
	v1beta1.SetDefaults_DataImportCronSpec(&cron.Spec)
	return build(cron, name, modifiers)
}

func requests(size string) corev1.VolumeResourceRequirements {
	return corev1.VolumeResourceRequirements{Requests: corev1.ResourceList{corev1.ResourceStorage: resource.MustParse(size)}}
}

// WithSchedule sets a cron's schedule; "" is none.
func WithSchedule(text string) Modifier {
	return on(func(cron *v1beta1.DataImportCron) { cron.Spec.Schedule = text })
}

// WithTemplate changes a cron's template.
func WithTemplate(change func(*v1beta1.DataVolume)) Modifier {
	return on(func(cron *v1beta1.DataImportCron) { change(&cron.Spec.Template) })
}

// WithSource sets the source of a cron's template.
func WithSource(source v1beta1.DataVolumeSource) Modifier {
	return WithTemplate(func(volume *v1beta1.DataVolume) { volume.Spec.Source = &source })
}

// WithRegistry changes the registry source of a cron's template.
func WithRegistry(change func(*v1beta1.DataVolumeSourceRegistry)) Modifier {
	return WithTemplate(func(volume *v1beta1.DataVolume) { change(volume.Spec.Source.Registry) })
}

// ImportsToKeep sets how many imports a cron keeps.
func ImportsToKeep(n int32) Modifier {
	return on(func(cron *v1beta1.DataImportCron) { cron.Spec.ImportsToKeep = &n })
}

// NeverCollect makes a cron keep all imports.
func NeverCollect() Modifier {
	return on(func(cron *v1beta1.DataImportCron) {
		cron.Spec.GarbageCollect = ptr.To(v1beta1.DataImportCronGarbageCollectNever)
	})
}

// RetainNone makes imports and DataSource go with their cron.
func RetainNone() Modifier {
	return on(func(cron *v1beta1.DataImportCron) {
		cron.Spec.RetentionPolicy = ptr.To(v1beta1.DataImportCronRetainNone)
	})
}

// Manages sets the name of a cron's DataSource.
func Manages(source string) Modifier {
	return on(func(cron *v1beta1.DataImportCron) { cron.Spec.ManagedDataSource = source })
}

// Desires sets the digest that a cron shall import.
func Desires(digest string) Modifier {
	return WithAnnotation(v1beta1.AnnSourceDesiredDigest, digest)
}

// Imports names a cron's current import.
func Imports(volume, digest string) Modifier {
	return on(func(cron *v1beta1.DataImportCron) {
		cron.Status.CurrentImports = []v1beta1.ImportStatus{{DataVolumeName: volume, Digest: digest}}
	})
}

// Published names the claim that a cron published last.
func Published(claim string) Modifier {
	return on(func(cron *v1beta1.DataImportCron) {
		cron.Status.LastImportedPVC = &v1beta1.DataVolumeSourcePVC{Namespace: cron.Namespace, Name: claim}
	})
}

// Polled sets the outcome of a cron's latest poll; failures in a row mean that it failed.
func Polled(when time.Time, digest string, failures int32) Modifier {
	return on(func(cron *v1beta1.DataImportCron) {
		poll := &v1beta1.PollStatus{Time: metav1.NewTime(when), Outcome: v1beta1.PollUnchanged, Digest: digest, Failures: failures}
		if failures > 0 {
			poll.Outcome = v1beta1.PollFailed
		}
		cron.Status.LastPoll = poll
		cron.Status.LastExecutionTimestamp = &poll.Time
	})
}

// Asked sets the trigger request of a cron.
func Asked(request v1beta1.TriggerRequest) Modifier {
	return on(func(cron *v1beta1.DataImportCron) { cron.Status.TriggerRequest = &request })
}

// Answered sets the last trigger of a cron.
func Answered(outcome v1beta1.TriggerOutcome) Modifier {
	return on(func(cron *v1beta1.DataImportCron) { cron.Status.LastTrigger = &outcome })
}

// CronCondition sets a condition of a cron.
func CronCondition(kind v1beta1.DataImportCronConditionType, state corev1.ConditionStatus, reason string) Modifier {
	return on(func(cron *v1beta1.DataImportCron) {
		cron.Status.Conditions = append(cron.Status.Conditions, v1beta1.DataImportCronCondition{
			Type: kind, ConditionState: v1beta1.ConditionState{Status: state, Reason: reason},
		})
	})
}

// DataVolume returns one that imports URL and nobody has looked at.
func DataVolume(name string, modifiers ...Modifier) *v1beta1.DataVolume {
	volume := &v1beta1.DataVolume{Spec: v1beta1.DataVolumeSpec{
		Source:  &v1beta1.DataVolumeSource{Registry: &v1beta1.DataVolumeSourceRegistry{URL: new(URL)}},
		Storage: &v1beta1.StorageSpec{Resources: requests("5Gi")},
	}}
	return build(volume, name, modifiers)
}

// InPhase sets the phase of a DataVolume.
func InPhase(phase v1beta1.DataVolumePhase) Modifier {
	return on(func(volume *v1beta1.DataVolume) { volume.Status.Phase = phase })
}

// Running sets the Running condition of a DataVolume, found at a time.
func Running(state corev1.ConditionStatus, reason, message string, when time.Time) Modifier {
	return on(func(volume *v1beta1.DataVolume) {
		volume.Status.Conditions = append(volume.Status.Conditions, v1beta1.DataVolumeCondition{
			Type: v1beta1.DataVolumeRunning,
			ConditionState: v1beta1.ConditionState{
				Status: state, Reason: reason, Message: message,
				LastTransitionTime: metav1.NewTime(when), LastHeartbeatTime: metav1.NewTime(when),
			},
		})
	})
}

// Clones makes a DataVolume copy a claim, as namespace/name.
func Clones(claim string) Modifier {
	return WithAnnotation(v1beta1.AnnCloneSource, claim)
}

// DataSource returns one that points nowhere.
func DataSource(name string, modifiers ...Modifier) *v1beta1.DataSource {
	return build(&v1beta1.DataSource{}, name, modifiers)
}

// ToClaim makes a DataSource point to a claim.
func ToClaim(namespace, name string) Modifier {
	return on(func(source *v1beta1.DataSource) {
		source.Spec.Source = v1beta1.DataSourceSource{PVC: &v1beta1.DataVolumeSourcePVC{Namespace: namespace, Name: name}}
	})
}

// ToSnapshot makes a DataSource point to a snapshot.
func ToSnapshot(namespace, name string) Modifier {
	return on(func(source *v1beta1.DataSource) {
		source.Spec.Source = v1beta1.DataSourceSource{Snapshot: &v1beta1.DataVolumeSourceSnapshot{Namespace: namespace, Name: name}}
	})
}

// ToSource makes a DataSource point to another.
func ToSource(namespace, name string) Modifier {
	return on(func(source *v1beta1.DataSource) {
		source.Spec.Source = v1beta1.DataSourceSource{DataSource: &v1beta1.DataSourceRefSourceDataSource{Namespace: namespace, Name: name}}
	})
}
