// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package nodepull

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"goldenimage.dev/pkg/apis/cdi/reference"
	"goldenimage.dev/pkg/sources"
)

// A state is what a Pod says about its image.
type state struct {
	// imageID as the runtime reports it, "" as long as it does not.
	imageID string
	// failure is a *sources.Error when the Pod will not come to report it, nil otherwise.
	failure error
	// unschedulable is why no node takes the Pod, "" if one did, or it is being looked for.
	unschedulable string
	// doing says what the Pod is waiting for, if it is none of these.
	doing string
}

// read decides what a Pod says. nil is one that was deleted.
func read(pod *corev1.Pod, ref reference.Reference) state {
	if pod == nil {
		return state{failure: sources.Errorf(sources.Transient, "the Pod by which a node was asked for %s was deleted before it had an answer", ref)}
	}
	image, program := statusOf(pod.Status.ContainerStatuses, containerName), statusOf(pod.Status.InitContainerStatuses, initName)
	switch waiting := image.State.Waiting; {
	case image.ImageID != "":
		return state{imageID: image.ImageID}
	case waiting != nil && pulling(waiting.Reason):
		return state{failure: pullFailure(ref, waiting)}
	case waiting != nil && failed(waiting.Reason):
		return state{failure: sources.Errorf(sources.Transient, "a node cannot start the Pod by which it is asked for %s (%s: %s)", ref, waiting.Reason, bounded(waiting.Message))}
	}
	if waiting := program.State.Waiting; waiting != nil && failed(waiting.Reason) {
		return state{failure: sources.Errorf(sources.Transient,
			"a node was to be asked for %s, and cannot run the server's own image %s (%s: %s): check the flags --importer-image and --importer-image-pull-secrets",
			ref, imageOf(pod.Spec.InitContainers), waiting.Reason, bounded(waiting.Message))}
	}
	switch pod.Status.Phase {
	case corev1.PodFailed, corev1.PodSucceeded:
		return state{failure: sources.Errorf(sources.Transient, "the Pod by which a node was asked for %s ended without an answer: %s", ref, why(pod, program))}
	case corev1.PodPending, corev1.PodRunning, corev1.PodUnknown:
	}
	return underWay(pod, program)
}

// underWay says what a Pod is waiting for that may still answer.
func underWay(pod *corev1.Pod, program corev1.ContainerStatus) state {
	for _, condition := range pod.Status.Conditions {
		if condition.Type == corev1.PodScheduled && condition.Status == corev1.ConditionFalse {
			return state{unschedulable: bounded(condition.Message)}
		}
	}
	switch {
	case pod.Spec.NodeName == "":
		return state{doing: "no node has taken the Pod"}
	case program.State.Terminated != nil:
		return state{doing: "node " + pod.Spec.NodeName + " is pulling the image"}
	}
	return state{doing: "node " + pod.Spec.NodeName + " is starting the Pod"}
}

func statusOf(all []corev1.ContainerStatus, name string) corev1.ContainerStatus {
	for _, status := range all {
		if status.Name == name {
			return status
		}
	}
	return corev1.ContainerStatus{}
}

func imageOf(containers []corev1.Container) string {
	if len(containers) == 0 {
		return ""
	}
	return containers[0].Image
}

// invalidName is why a container waits whose image has no name that the runtime can read.
const invalidName = "InvalidImageName"

// pulling tells whether the kubelet does not start a container because of its image.
func pulling(reason string) bool {
	return slices.Contains([]string{
		"ErrImagePull", "ImagePullBackOff", invalidName, "ErrImageNeverPull", "ImageInspectError", "RegistryUnavailable", "SignatureValidationFailed",
	}, reason)
}

// failed tells whether the kubelet will not start a container, or not soon.
func failed(reason string) bool {
	return pulling(reason) || slices.Contains([]string{"CreateContainerConfigError", "CreateContainerError", "RunContainerError", "PreCreateHookError"}, reason)
}

// why returns the reason that a Pod ended.
func why(pod *corev1.Pod, program corev1.ContainerStatus) string {
	if pod.Status.Reason != "" || pod.Status.Message != "" {
		return bounded(strings.Trim(pod.Status.Reason+": "+pod.Status.Message, ": "))
	}
	if ended := program.State.Terminated; ended != nil && ended.ExitCode != 0 {
		return bounded(fmt.Sprintf("its first program ended with exit code %d: %s", ended.ExitCode, ended.Message))
	}
	return "the node does not say why"
}

// pullFailure tells failures of a pull apart by the words of the container runtime, which are
// all that there is: it gives no code.
func pullFailure(ref reference.Reference, waiting *corev1.ContainerStateWaiting) error {
	said := waiting.Reason
	if waiting.Message != "" {
		said += ": " + bounded(waiting.Message)
	}
	if waiting.Reason == invalidName {
		return sources.Errorf(sources.Invalid, "a node cannot read the name %s (%s): correct the URL", ref, said)
	}
	kind := kindOf(ref, waiting.Message)
	hint := map[sources.Kind]string{
		sources.Unauthorized: ": give the nodes credentials for the registry, or the ServiceAccount an imagePullSecret",
		sources.NotFound:     ": check the repository and the tag, and the mirrors that the nodes are set up with",
		sources.RateLimited:  ": it is asked again later",
		sources.Certificate:  ": let the nodes trust the registry's certificate authority",
		sources.Unreachable:  ": check that the nodes reach the registry, or a mirror of it",
	}[kind]
	return sources.Errorf(kind, "a node cannot pull %s (%s)%s", ref, said, hint)
}

// kindOf finds what a runtime's message is about; Transient if it is not clear. What comes first
// decides: some registries say of what is not for everyone that it may not exist.
func kindOf(ref reference.Reference, message string) sources.Kind {
	// Names are no words.
	for _, name := range []string{ref.String(), ref.Registry() + "/" + ref.Repository(), ref.Repository(), ref.Registry()} {
		message = strings.ReplaceAll(message, name, " ")
	}
	message = strings.ToLower(message)
	for _, sign := range []struct {
		kind  sources.Kind
		words []string
	}{
		{sources.RateLimited, []string{"toomanyrequests", "too many requests"}},
		{sources.Certificate, []string{"x509:", "certificate signed by", "certificate is not"}},
		{sources.Unreachable, []string{
			"no such host", "connection refused", "i/o timeout", "network is unreachable", "no route to host", "tls handshake timeout",
			"deadline exceeded", "connection reset", "http response to https", "server misbehaving", "registryunavailable",
		}},
		{sources.Unauthorized, []string{"unauthorized", "authentication required", "forbidden", "denied", "authorization failed", "insufficient_scope", "no basic auth credentials"}},
		{sources.NotFound, []string{"not found", "manifest unknown", "name unknown", "manifest_unknown", "name_unknown"}},
	} {
		for _, words := range sign.words {
			if strings.Contains(message, words) {
				return sign.kind
			}
		}
	}
	return sources.Transient
}

// maxText bounds what a runtime or a scheduler says, in bytes.
const maxText = 300

var (
	// query is the part of a URL where tokens are.
	query = regexp.MustCompile(`\?[^\s"']*`)
	// user is the part of a URL where passwords are.
	user = regexp.MustCompile(`://[^\s"'/]*@`)
)

// bounded returns a text without what may be secret in it, printable and not too long.
func bounded(text string) string {
	// What is cut off need not be searched.
	text = strings.ToValidUTF8(text[:min(len(text), 8*maxText)], "?")
	text = user.ReplaceAllString(query.ReplaceAllString(text, "?…"), "://…@")
	text = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, text)
	if len(text) > maxText {
		text = strings.ToValidUTF8(text[:maxText], "") + "…"
	}
	return text
}

var validDigest = regexp.MustCompile(`^sha256:[0-9a-f]{64}$`)

// digestOf reads what a runtime calls an image. Its errors are sources.Errors.
func digestOf(ref reference.Reference, imageID string) (string, error) {
	_, digest, ok := strings.Cut(imageID, "@")
	if ok && validDigest.MatchString(digest) {
		return digest, nil
	}
	// Some runtimes give an image that was loaded rather than pulled the digest of its
	// configuration, which no registry knows it by.
	return "", sources.Errorf(sources.Invalid,
		"the container runtime of a node calls %s %.100q, which is not the digest that its registry gives it: name the image by digest, or let the server read the registry", ref, imageID)
}
