// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package app

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/uuid"
	"k8s.io/apimachinery/pkg/util/validation"
	genericoptions "k8s.io/apiserver/pkg/server/options"
	cliflag "k8s.io/component-base/cli/flag"
	"k8s.io/component-base/logs"
	logsapi "k8s.io/component-base/logs/api/v1"

	"goldenimage.dev/pkg/apis/cdi"
	"goldenimage.dev/pkg/apis/cdi/v1beta1"
	"goldenimage.dev/pkg/sources/polite"
)

// Options are what the program's flags set.
type Options struct {
	// Recommended are the options of every aggregated API server. Without --etcd-servers an
	// etcd in this process is used.
	Recommended *genericoptions.RecommendedOptions
	// Logs sets format and verbosity of logs.
	Logs *logs.Options
	// DataDir is where the embedded etcd keeps its data.
	DataDir string
	// Namespace that the server runs in; its Lease and Secret are kept there.
	Namespace string
	// ServiceName of the Service through which kube-apiserver reaches the server.
	ServiceName string
	// Identity in leader election, which no other process has at the same time.
	Identity string
	// Ordinal of the Pod in its StatefulSet, 0 if it has none.
	Ordinal int
	// ServingCertSecret is the Secret that holds the certificate authority that the server
	// makes for itself. Empty means the certificate of --tls-cert-file.
	ServingCertSecret string
	// LeaderElection may be turned off for a single process, in tests.
	LeaderElection bool
	// Controllers may be turned off for a replica that only serves.
	Controllers bool
	// ImporterImage is the container image of the pods that fill volumes.
	ImporterImage string
	// ImporterPullPolicy of that image.
	ImporterPullPolicy string
	// ImporterPullSecrets are names of Secrets, in the namespaces of those pods, to pull it with.
	ImporterPullSecrets []string
	// InsecureRegistries are hosts (host[:port]) that may be spoken to by plain HTTP or with
	// certificates that do not verify.
	InsecureRegistries []string
	// FilesystemOverhead is the share of a Filesystem volume that the file system itself needs.
	FilesystemOverhead float64
	// embedded tells that Config started an etcd.
	embedded bool
	// PollWorkers is how many DataImportCrons are worked on at a time. None of them waits for
	// a source.
	PollWorkers int
	// RegistryRequests bounds what is asked of one registry, or web server.
	RegistryRequests polite.Limits
	// RegistryEvents is where registries tell of what was pushed.
	RegistryEvents pushOptions
}

// NewOptions returns the defaults.
func NewOptions() *Options {
	codec := newCodecs(newScheme()).LegacyCodec(v1beta1.SchemeGroupVersion)
	options := &Options{
		Recommended:        genericoptions.NewRecommendedOptions("/registry/"+cdi.GroupName, codec),
		Logs:               logs.NewOptions(),
		DataDir:            "/var/lib/golden-image",
		Namespace:          cmp.Or(os.Getenv("POD_NAMESPACE"), "golden-image"),
		ServiceName:        Name,
		LeaderElection:     true,
		Controllers:        true,
		ImporterPullPolicy: string(corev1.PullIfNotPresent),
		FilesystemOverhead: 0.06,
		PollWorkers:        8,
		RegistryEvents:     pushOptions{Secret: "golden-image-registry-events"},
		RegistryRequests:   polite.Limits{PerSecond: 2, Burst: 5, Concurrent: 8},
	}
	addAdmission(options.Recommended)
	options.Recommended.SecureServing.BindPort = 8443
	options.Recommended.Etcd.StorageConfig.Transport.ServerList = nil
	return options
}

// Flags returns the flags, by section.
func (o *Options) Flags() (sections cliflag.NamedFlagSets) {
	fs := sections.FlagSet("golden image")
	fs.StringVar(&o.DataDir, "data-dir", o.DataDir, "Directory of the embedded etcd, which is used unless --etcd-servers is given.")
	fs.StringVar(&o.Namespace, "namespace", o.Namespace, "Namespace that the server runs in. The environment variable POD_NAMESPACE sets it too.")
	fs.StringVar(&o.ServiceName, "service-name", o.ServiceName, "Service through which kube-apiserver reaches the server.")
	fs.StringVar(&o.ServingCertSecret, "serving-cert-secret", o.ServingCertSecret,
		"Secret in which the server keeps the certificate authority that it makes for itself; the APIService is given its certificate. "+
			"Empty means that --tls-cert-file is used and that the APIService is somebody else's care.")
	fs.BoolVar(&o.LeaderElection, "leader-elect", o.LeaderElection, "Run the controllers in one replica at a time.")
	fs.BoolVar(&o.Controllers, "controllers", o.Controllers, "Run the controllers. A replica without them only serves the API.")
	fs.StringVar(&o.ImporterImage, "importer-image", o.ImporterImage, "Container image of the pods that fill volumes.")
	fs.StringVar(&o.ImporterPullPolicy, "importer-image-pull-policy", o.ImporterPullPolicy, "Pull policy of that image: Always, IfNotPresent or Never.")
	fs.StringSliceVar(&o.ImporterPullSecrets, "importer-image-pull-secrets", o.ImporterPullSecrets,
		"Secrets to pull that image with. They are looked for in the namespaces of the volumes.")
	fs.StringSliceVar(&o.InsecureRegistries, "insecure-registries", o.InsecureRegistries,
		"Registries (host[:port], as in image names) that may be spoken to by plain HTTP or with certificates that do not verify.")
	fs.Float64Var(&o.FilesystemOverhead, "filesystem-overhead", o.FilesystemOverhead,
		"Share of a Filesystem volume that its file system needs; a claim is made larger than its disk by as much.")
	fs.IntVar(&o.PollWorkers, "poll-workers", o.PollWorkers, "Number of DataImportCrons that are worked on at the same time. None of them waits for a source.")
	limits := &o.RegistryRequests
	fs.Float64Var(&limits.PerSecond, "registry-polls-per-second", limits.PerSecond, "Polls of one registry per second, in the long run.")
	fs.IntVar(&limits.Burst, "registry-polls-burst", limits.Burst, "Polls of one registry that may be made at once after a quiet time.")
	fs.IntVar(&limits.Concurrent, "registry-polls-concurrent", limits.Concurrent, "Polls of one registry that may be under way at the same time.")
	fs.StringSliceVar(&limits.Unlimited, "unlimited-registries", limits.Unlimited,
		"Registries (host[:port], as in image names, or *.domain) that these limits are not for, such as those of the site itself.")
	o.RegistryEvents.AddFlags(fs)

	o.Recommended.Etcd.AddFlags(sections.FlagSet("etcd"))
	o.Recommended.SecureServing.AddFlags(sections.FlagSet("secure serving"))
	o.Recommended.Authentication.AddFlags(sections.FlagSet("authentication"))
	o.Recommended.Authorization.AddFlags(sections.FlagSet("authorization"))
	o.Recommended.Audit.AddFlags(sections.FlagSet("auditing"))
	o.Recommended.Features.AddFlags(sections.FlagSet("features"))
	o.Recommended.CoreAPI.AddFlags(sections.FlagSet("kubernetes"))
	o.Recommended.Admission.AddFlags(sections.FlagSet("admission"))
	o.Recommended.EgressSelector.AddFlags(sections.FlagSet("egress selector"))
	o.Recommended.Traces.AddFlags(sections.FlagSet("traces"))
	logsapi.AddFlags(o.Logs, sections.FlagSet("logs"))
	return sections
}

// Complete fills in what the environment says.
func (o *Options) Complete() {
	name, uid := os.Getenv("POD_NAME"), os.Getenv("POD_UID")
	if name == "" || uid == "" {
		host, err := os.Hostname()
		if err != nil {
			host = Name
		}
		name, uid = host, string(uuid.NewUUID())
	} else if i := strings.LastIndexByte(name, '-'); i > 0 {
		if ordinal, err := strconv.Atoi(name[i+1:]); err == nil {
			o.Ordinal = ordinal
		}
	}
	// A container that is started again has the same identity, and takes up its own lease at
	// once; a Pod of the same name has another.
	o.Identity = name + "_" + uid
}

// Validate returns everything that is wrong with the options.
func (o *Options) Validate() []error {
	var errs []error
	wrong := func(flag string, value any, accepted string) {
		errs = append(errs, fmt.Errorf("--%s: invalid value %q: want %s", flag, fmt.Sprint(value), accepted))
	}
	errs = append(errs, o.validateDatabase()...)
	if msgs := validation.IsDNS1123Label(o.Namespace); len(msgs) > 0 {
		wrong("namespace", o.Namespace, strings.Join(msgs, "; "))
	}
	if msgs := validation.IsDNS1123Label(o.ServiceName); len(msgs) > 0 {
		wrong("service-name", o.ServiceName, strings.Join(msgs, "; "))
	}
	if o.Controllers && o.ImporterImage == "" {
		wrong("importer-image", o.ImporterImage, "the container image of the importer, or --controllers=false")
	}
	switch corev1.PullPolicy(o.ImporterPullPolicy) {
	case corev1.PullAlways, corev1.PullIfNotPresent, corev1.PullNever:
	default:
		wrong("importer-image-pull-policy", o.ImporterPullPolicy, "Always, IfNotPresent or Never")
	}
	if o.FilesystemOverhead < 0 || o.FilesystemOverhead >= 1 {
		wrong("filesystem-overhead", o.FilesystemOverhead, "a number from 0 to less than 1")
	}
	if o.PollWorkers < 1 {
		wrong("poll-workers", o.PollWorkers, "at least 1")
	}
	errs = append(errs, o.RegistryEvents.Validate()...)
	return append(errs, o.validateRegistries()...)
}

// validateRegistries returns what is wrong with the options about registries.
func (o *Options) validateRegistries() []error {
	var errs []error
	for flag, names := range map[string][]string{"insecure-registries": o.InsecureRegistries, "unlimited-registries": o.RegistryRequests.Unlimited} {
		for _, registry := range names {
			if registry == "" || strings.ContainsAny(registry, "/@ ") {
				errs = append(errs, fmt.Errorf("--%s: invalid value %q: want host or host:port, without scheme and path", flag, registry))
			}
		}
	}
	if limits := o.RegistryRequests; limits.PerSecond <= 0 || limits.Burst < 1 || limits.Concurrent < 1 {
		errs = append(errs, fmt.Errorf("--registry-polls-per-second, --registry-polls-burst, --registry-polls-concurrent: invalid values %v, %d, %d: "+
			"want more than 0, and at least 1; --unlimited-registries names registries without limits", limits.PerSecond, limits.Burst, limits.Concurrent))
	}
	return errs
}

// validateDatabase returns what is wrong with the machinery's options and the choice of etcd.
func (o *Options) validateDatabase() []error {
	if !o.embeddedEtcd() {
		return o.Recommended.Validate()
	}
	var errs []error
	if !filepath.IsAbs(o.DataDir) {
		errs = append(errs, fmt.Errorf("--data-dir: invalid value %q: want an absolute path", o.DataDir))
	}
	if o.Ordinal > 0 {
		errs = append(errs, fmt.Errorf("this is replica %d: each replica would have an etcd of its own, with other objects in it: "+
			"scale the StatefulSet to 1, or give all replicas --etcd-servers", o.Ordinal+1))
	}
	recommended := *o.Recommended
	recommended.Etcd = nil // it would ask for --etcd-servers
	return append(errs, recommended.Validate()...)
}

func (o *Options) embeddedEtcd() bool {
	return len(o.Recommended.Etcd.StorageConfig.Transport.ServerList) == 0
}

// startTimeout is how long the parts that serving depends on may take to start.
const startTimeout = time.Minute
