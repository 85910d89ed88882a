// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package app

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/spf13/pflag"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	genericapiserver "k8s.io/apiserver/pkg/server"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/klog/v2"

	"goldenimage.dev/pkg/controllers/push"
	"goldenimage.dev/pkg/generated/clientset/versioned"
	cdiinformers "goldenimage.dev/pkg/generated/informers/externalversions"
)

const (
	// pushWorkers is how many crons are triggered at the same time.
	pushWorkers = 8
	// Bounds of a connection, whose other end anybody may be.
	pushHeaderTime, pushReadTime, pushIdleTime = 5 * time.Second, 10 * time.Second, 30 * time.Second
	pushHeaderBytes                            = 16 << 10
	// pushGrace is how long a request that was begun may take when the server ends.
	pushGrace = 3 * time.Second
)

// pushOptions are how registries tell of pushes.
type pushOptions struct {
	// Port that notifications are posted to, 0 for none.
	Port int
	// Secret whose keys are senders and whose values are their tokens.
	Secret string
}

// AddFlags adds the flags.
func (o *pushOptions) AddFlags(fs *pflag.FlagSet) {
	fs.IntVar(&o.Port, "registry-events-bind-port", o.Port, "Port on which registries post notifications of pushes, to "+push.Path+". 0 turns it off.")
	fs.StringVar(&o.Secret, "registry-events-secret", o.Secret,
		"Secret in the server's namespace that holds who may post notifications: each key is a sender's name, its value the token.")
}

// Validate returns what is wrong with the flags.
func (o *pushOptions) Validate() []error {
	var errs []error
	if o.Port < 0 || o.Port > 65535 {
		errs = append(errs, fmt.Errorf("--registry-events-bind-port is %d, want 0 to 65535", o.Port))
	}
	if o.Port != 0 && o.Secret == "" {
		errs = append(errs, errors.New("--registry-events-secret must be set: notifications are never taken from everybody"))
	}
	return errs
}

// addPush serves notifications beside the API, in every replica. Their listener is one of its
// own: some senders can only put their token into the URL, which the API's logs would hold.
func (c CompletedConfig) addPush(generic *genericapiserver.GenericAPIServer, o pushOptions) error {
	if o.Port == 0 {
		return nil
	}
	kubeconfig, err := clientConfig(c.Options)
	if err != nil {
		return err
	}
	kube, err := kubernetes.NewForConfig(kubeconfig)
	if err != nil {
		return fmt.Errorf("create Kubernetes client: %w", err)
	}
	loopback := rest.CopyConfig(generic.LoopbackClientConfig)
	loopback.QPS, loopback.UserAgent = -1, Name
	cdi, err := versioned.NewForConfig(loopback)
	if err != nil {
		return fmt.Errorf("create client of the own API: %w", err)
	}
	factory := cdiinformers.NewSharedInformerFactoryWithOptions(cdi, 0, cdiinformers.WithTransform(trim))
	metrics := push.NewMetrics()
	receiver, err := push.New(push.Config{
		Client: cdi, Crons: factory.Cdi().V1beta1().DataImportCrons(), Clock: c.Clock, Metrics: metrics,
		Secret: func(ctx context.Context) (*corev1.Secret, error) {
			return kube.CoreV1().Secrets(c.Options.Namespace).Get(ctx, o.Secret, metav1.GetOptions{})
		},
	})
	if err != nil {
		return fmt.Errorf("make the receiver of registry events: %w", err)
	}
	metrics.Register()
	certificate := certificateOf(c.generic.SecureServing.Cert.CurrentCertKeyContent)
	generic.AddPostStartHookOrDie("golden-image-registry-events", func(hook genericapiserver.PostStartHookContext) error {
		listener, err := (&net.ListenConfig{}).Listen(hook.Context, "tcp", ":"+strconv.Itoa(o.Port))
		if err != nil {
			return fmt.Errorf("listen for registry events: %w", err)
		}
		factory.Start(hook.Done())
		go receiver.Run(hook.Context, pushWorkers)
		go servePush(hook.Context, listener, receiver, certificate)
		return nil
	})
	return nil
}

// servePush serves until ctx is done and what was begun is answered.
func servePush(ctx context.Context, listener net.Listener, handler http.Handler, certificate func(*tls.ClientHelloInfo) (*tls.Certificate, error)) {
	server := &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: pushHeaderTime, ReadTimeout: pushReadTime, WriteTimeout: 2 * pushReadTime, IdleTimeout: pushIdleTime,
		MaxHeaderBytes: pushHeaderBytes,
		// What goes wrong in a handshake is the other end's doing, and there may be much of it.
		ErrorLog:    klog.NewStandardLogger("INFO"),
		BaseContext: func(net.Listener) context.Context { return ctx },
		TLSConfig:   &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: certificate},
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		<-ctx.Done()
		ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), pushGrace)
		defer cancel()
		if server.Shutdown(ending) != nil {
			_ = server.Close()
		}
	}()
	if err := server.ServeTLS(listener, "", ""); !errors.Is(err, http.ErrServerClosed) {
		klog.FromContext(ctx).Error(err, "Registry events are not served any more")
		return
	}
	<-ended
}

// certificateOf returns the certificate of each handshake: the one that the API serves with now.
func certificateOf(content func() (cert, key []byte)) func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	var mu sync.Mutex
	var last string
	var parsed *tls.Certificate
	return func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
		cert, key := content()
		mu.Lock()
		defer mu.Unlock()
		if parsed != nil && last == string(cert) {
			return parsed, nil
		}
		pair, err := tls.X509KeyPair(cert, key)
		if err != nil {
			return nil, fmt.Errorf("serving certificate: %w", err)
		}
		last, parsed = string(cert), &pair
		return parsed, nil
	}
}
