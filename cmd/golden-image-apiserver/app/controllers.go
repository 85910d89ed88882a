// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package app

import (
	"context"
	"fmt"
	"sync"

	imageclient "github.com/openshift/client-go/image/clientset/versioned"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/version"
	genericapiserver "k8s.io/apiserver/pkg/server"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	typedcorev1 "k8s.io/client-go/kubernetes/typed/core/v1"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/record"
	buildversion "k8s.io/component-base/version"
	"k8s.io/klog/v2"

	"goldenimage.dev/pkg/apis/cdi/v1beta1"
	"goldenimage.dev/pkg/controllers/access"
	"goldenimage.dev/pkg/controllers/datasource"
	"goldenimage.dev/pkg/controllers/imports"
	"goldenimage.dev/pkg/controllers/installation"
	"goldenimage.dev/pkg/controllers/poll"
	"goldenimage.dev/pkg/controllers/publish"
	"goldenimage.dev/pkg/controllers/retention"
	"goldenimage.dev/pkg/controllers/storageprofile"
	"goldenimage.dev/pkg/controllers/volume"
	"goldenimage.dev/pkg/generated/clientset/versioned"
	cdiinformers "goldenimage.dev/pkg/generated/informers/externalversions"
	"goldenimage.dev/pkg/sources/polite"
)

// A controller does one thing until ctx is done.
type controller struct {
	name    string
	workers int
	run     func(ctx context.Context, workers int)
}

// environment is what controllers are made from.
type environment struct {
	kube     kubernetes.Interface
	cdi      versioned.Interface
	core     informers.SharedInformerFactory
	pods     informers.SharedInformerFactory
	group    cdiinformers.SharedInformerFactory
	recorder record.EventRecorder
	// access reads what sources are read with.
	access access.Reader
	// streams is the API of ImageStreams, which may come and go.
	streams imageclient.Interface
	// traffic and polls are metrics.
	traffic *polite.Metrics
	polls   *poll.Metrics
	// sources are what can be asked.
	sources *catalogue
	images  bool
	// snapshots tells of VolumeSnapshotClasses, whose API may come and go.
	snapshots storageprofile.SnapshotClasses
}

// addControllers runs the controllers beside the API, in one replica at a time.
func (c CompletedConfig) addControllers(generic *genericapiserver.GenericAPIServer) (*background, error) {
	kubeconfig, err := clientConfig(c.Options)
	if err != nil {
		return nil, err
	}
	// One client that may be busy: the API server's own limits protect it.
	kubeconfig.QPS = -1
	kube, err := kubernetes.NewForConfig(kubeconfig)
	if err != nil {
		return nil, fmt.Errorf("create Kubernetes client: %w", err)
	}
	snapshotAPI, err := dynamic.NewForConfig(kubeconfig)
	if err != nil {
		return nil, fmt.Errorf("create Kubernetes client: %w", err)
	}
	streams, err := imageclient.NewForConfig(kubeconfig)
	if err != nil {
		return nil, fmt.Errorf("create client of ImageStreams: %w", err)
	}
	// Controllers are clients like any other: what they write is defaulted and validated.
	loopback := rest.CopyConfig(generic.LoopbackClientConfig)
	loopback.QPS, loopback.UserAgent = -1, Name
	cdi, err := versioned.NewForConfig(loopback)
	if err != nil {
		return nil, fmt.Errorf("create client of the own API: %w", err)
	}
	env := environment{kube: kube, cdi: cdi, streams: streams, snapshots: storageprofile.NewClassReader(snapshotAPI, c.Clock)}
	env.traffic, env.polls = polite.NewMetrics(), poll.NewMetrics()
	env.traffic.Register()
	env.polls.Register()
	work := &background{done: make(chan struct{}), failed: make(chan error, 1)}
	generic.AddPostStartHookOrDie("golden-image-controllers", func(hook genericapiserver.PostStartHookContext) error {
		go func() {
			defer close(work.done)
			err := lead(hook.Context, kube, c.Options, func(leading context.Context) error {
				return c.runControllers(leading, env)
			})
			if err != nil {
				work.failed <- fmt.Errorf("run controllers: %w", err)
			}
		}()
		return nil
	})
	return work, nil
}

// runControllers runs all controllers until ctx is done and all have ended.
func (c CompletedConfig) runControllers(ctx context.Context, env environment) error {
	logger := klog.FromContext(ctx)
	broadcaster := record.NewBroadcaster(record.WithContext(ctx))
	defer broadcaster.Shutdown()
	broadcaster.StartRecordingToSink(&typedcorev1.EventSinkImpl{Interface: env.kube.CoreV1().Events("")})
	env.core = informers.NewSharedInformerFactoryWithOptions(env.kube, 0, informers.WithTransform(trim))
	env.pods = informers.NewSharedInformerFactoryWithOptions(env.kube, 0, informers.WithTransform(trim), informers.WithTweakListOptions(ownPods))
	env.group = cdiinformers.NewSharedInformerFactoryWithOptions(env.cdi, 0, cdiinformers.WithTransform(trim))
	env.recorder = broadcaster.NewRecorder(newScheme(), corev1.EventSource{Component: Name})
	env.images = imageVolumes(ctx, env.kube.Discovery())
	env.access = access.Reader{
		Client: env.kube, InsecureRegistries: c.Options.InsecureRegistries, Configs: env.group.Cdi().V1beta1().CDIConfigs().Lister(),
		ServerNamespace: c.Options.Namespace, Accounts: access.NewAccounts(c.Clock),
	}
	env.sources = c.newCatalogue(env)
	defer env.sources.shutdown()
	controllers, err := c.controllers(env)
	if err != nil {
		return fmt.Errorf("make the controllers: %w", err)
	}
	env.core.Start(ctx.Done())
	env.pods.Start(ctx.Done())
	env.group.Start(ctx.Done())
	// Until the CDIConfig was read, nobody knows which registries are insecure and what is the proxy.
	env.group.WaitForCacheSync(ctx.Done())
	var running sync.WaitGroup
	running.Go(func() { env.sources.streams.Run(ctx) })
	for _, controller := range controllers {
		running.Go(func() {
			controller.run(klog.NewContext(ctx, klog.LoggerWithName(logger, controller.name)), controller.workers)
		})
	}
	running.Wait()
	return nil
}

// controllers is the table of what runs, in the order of a poll.
func (c CompletedConfig) controllers(env environment) ([]controller, error) {
	group, core, storage := env.group.Cdi().V1beta1(), env.core.Core().V1(), env.core.Storage().V1()
	polls, err := poll.New(poll.Config{
		Client: env.cdi, Access: env.access, Crons: group.DataImportCrons(),
		Asker: env.sources.asker, Kinds: env.sources.kinds(), Watchers: env.sources.watchers, NodeLocation: nodeLocation,
		Recorder: env.recorder, Clock: c.Clock, Metrics: env.polls,
	})
	if err != nil {
		return nil, err
	}
	importing, err := imports.New(imports.Config{
		Client: env.cdi, Kube: env.kube, Crons: group.DataImportCrons(), Volumes: group.DataVolumes(),
		Claims: core.PersistentVolumeClaims(), Recorder: env.recorder, Clock: c.Clock,
	})
	if err != nil {
		return nil, err
	}
	volumes, err := volume.New(volume.Config{
		CDI: env.cdi, Kubernetes: env.kube, DataVolumes: group.DataVolumes(), DataSources: group.DataSources(),
		Claims: core.PersistentVolumeClaims(), Volumes: core.PersistentVolumes(), Pods: env.pods.Core().V1().Pods(),
		StorageClasses: storage.StorageClasses(), CSIDrivers: storage.CSIDrivers(),
		Recorder: env.recorder, Clock: c.Clock, Resolver: images{env.sources.asker},
		Worker: volume.WorkerOptions{Image: c.Options.ImporterImage, PullPolicy: corev1.PullPolicy(c.Options.ImporterPullPolicy), PullSecrets: c.Options.ImporterPullSecrets},
		Access: env.access, ImageVolumes: env.images, FilesystemOverhead: c.Options.FilesystemOverhead,
	})
	if err != nil {
		return nil, err
	}
	publishing, err := publish.New(publish.Config{
		Client: env.cdi, Kube: env.kube, Crons: group.DataImportCrons(), Volumes: group.DataVolumes(),
		Sources: group.DataSources(), Claims: core.PersistentVolumeClaims(), Recorder: env.recorder, Clock: c.Clock,
	})
	if err != nil {
		return nil, err
	}
	retaining, err := retention.New(retention.Config{
		Client: env.cdi, Kube: env.kube, Crons: group.DataImportCrons(), Volumes: group.DataVolumes(),
		Sources: group.DataSources(), Claims: core.PersistentVolumeClaims(), Recorder: env.recorder, Clock: c.Clock,
	})
	if err != nil {
		return nil, err
	}
	readiness, err := datasource.New(datasource.Config{
		Client: env.cdi, Sources: group.DataSources(), Volumes: group.DataVolumes(),
		Claims: core.PersistentVolumeClaims(), Recorder: env.recorder, Clock: c.Clock,
	})
	if err != nil {
		return nil, err
	}
	neighbours, err := c.neighbours(env)
	if err != nil {
		return nil, err
	}
	const few, some = 2, 4
	return append([]controller{
		{"poll", c.Options.PollWorkers, polls.Run},
		{"imports", some, importing.Run},
		{"volume", some, volumes.Run},
		{"publish", some, publishing.Run},
		{"retention", few, retaining.Run},
		{"datasource", few, readiness.Run},
	}, neighbours...), nil
}

// neighbours are the controllers of what clients of the API look up beside golden images.
func (c CompletedConfig) neighbours(env environment) ([]controller, error) {
	group, core, storage := env.group.Cdi().V1beta1(), env.core.Core().V1(), env.core.Storage().V1()
	profiles, err := storageprofile.New(storageprofile.Config{
		Client: env.cdi, Kube: env.kube, Profiles: group.StorageProfiles(), Classes: storage.StorageClasses(),
		Volumes: core.PersistentVolumes(), Snapshots: env.snapshots, Recorder: env.recorder, Clock: c.Clock,
	})
	if err != nil {
		return nil, err
	}
	installing, err := installation.New(installation.Config{
		Client: env.cdi, CDIs: group.CDIs(), CDIConfigs: group.CDIConfigs(), Classes: storage.StorageClasses(),
		Clock: c.Clock, Version: buildversion.Get().GitVersion, FilesystemOverhead: c.Options.FilesystemOverhead,
	})
	if err != nil {
		return nil, err
	}
	return []controller{
		{"storageprofile", 1, profiles.Run},
		{"installation", 1, installing.Run},
	}, nil
}

// ownPods restricts a list to the Pods that the server made.
func ownPods(options *metav1.ListOptions) {
	options.LabelSelector = v1beta1.LabelApp + "=" + v1beta1.LabelAppValue
}

// trim drops from a cached object what no controller reads and what is large.
func trim(obj any) (any, error) {
	if object, ok := obj.(metav1.Object); ok {
		object.SetManagedFields(nil)
	}
	return obj, nil
}

// imageVolumesSince is the Kubernetes release in which image volumes are on by default.
const imageVolumesSince = "1.35"

// imageVolumes tells whether the cluster can mount images as volumes. If it cannot be asked,
// it is taken to be new: an import then fails with the cluster's own words.
func imageVolumes(ctx context.Context, client discovery.ServerVersionInterface) bool {
	info, err := client.ServerVersion()
	if err != nil {
		klog.FromContext(ctx).Info("Kubernetes does not tell its version", "reason", err.Error())
		return true
	}
	have, err := version.ParseGeneric(info.GitVersion)
	return err != nil || have.AtLeast(version.MustParseGeneric(imageVolumesSince))
}
