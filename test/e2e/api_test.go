//go:build e2e

// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"encoding/base64"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestOrdinaryUser uses the API through the aggregator as a ServiceAccount that has the
// cluster's ordinary role "edit" in one namespace.
func TestOrdinaryUser(t *testing.T) {
	t.Parallel()
	namespace := newNamespace(t, "e2e-user")
	kubectl(t, "-n", namespace, "create", "serviceaccount", "user")
	kubectl(t, "-n", namespace, "create", "rolebinding", "user", "--clusterrole=edit", "--serviceaccount="+namespace+":user")
	user := userOf(t, namespace)
	const repository = "registry.golden-image.test/disks/user:1"
	push(t, repository, "user")
	manifest := cronManifest{namespace: namespace, name: "user", url: repository}.String()

	steps := []struct {
		does  string
		stdin string
		args  []string
		want  []string
	}{
		{"reads the resources", "", []string{"get", "--raw", "/apis/cdi.kubevirt.io/v1beta1"}, []string{`"dataimportcrons/trigger"`, `"shortNames":["dic","dics"]`}},
		{"has a field explained", "", []string{"explain", "dataimportcron.spec.template.spec.source.registry"}, []string{"pullMethod", "certConfigMap", "docker://host"}},
		{"tries a manifest", manifest, []string{"apply", "--dry-run=server", "-f", "-"}, []string{"created (server dry run)"}},
		{"applies it on the server's side", manifest, []string{"apply", "--server-side", "-f", "-"}, []string{"serverside-applied"}},
		{"applies it again", manifest, []string{"apply", "--server-side", "-f", "-"}, []string{"serverside-applied"}},
		{"waits for it", "", []string{"wait", "--for=condition=UpToDate", "--timeout=180s", "dic/user"}, []string{"condition met"}},
		{"lists by short name", "", []string{"get", "dic"}, []string{"NAME", "user"}},
		{"watches for a moment", "", []string{"get", "das", "--watch", "--request-timeout=2s", "user"}, []string{"user"}},
		{"asks what it may do", "", []string{"auth", "can-i", "create", "dataimportcrons.cdi.kubevirt.io", "--subresource=trigger"}, []string{"yes"}},
		{"asks for a poll", "{}", []string{"create", "--raw", "/apis/cdi.kubevirt.io/v1beta1/namespaces/" + namespace + "/dataimportcrons/user/trigger", "-f", "-"}, []string{"requestID", "system:serviceaccount:" + namespace + ":user"}},
		{"deletes it", "", []string{"delete", "dic", "user"}, []string{"deleted"}},
	}
	for _, step := range steps {
		out, err := try(t.Context(), t, step.stdin, "hack/cluster/kubectl.sh", append(user, step.args...)...)
		if err != nil && !strings.Contains(step.does, "watches") {
			t.Fatalf("%s: %v", step.does, err)
		}
		for _, want := range step.want {
			if !strings.Contains(out, want) {
				t.Errorf("%s: %q is not in:\n%s", step.does, want, out)
			}
		}
	}
	if out, err := try(t.Context(), t, "", "hack/cluster/kubectl.sh", append(user, "-n", "golden-images", "get", "dic")...); err == nil || !strings.Contains(err.Error(), "forbidden") {
		t.Errorf("another namespace is not forbidden: %s %v", out, err)
	}
}

// userOf returns the arguments that make kubectl act as the ServiceAccount "user", by a
// token of its own.
func userOf(t *testing.T, namespace string) []string {
	t.Helper()
	token := strings.TrimSpace(kubectl(t, "-n", namespace, "create", "token", "user"))
	ca, err := base64.StdEncoding.DecodeString(kubectl(t, "config", "view", "--raw", "-o", "jsonpath={.clusters[0].cluster.certificate-authority-data}"))
	if err != nil {
		t.Fatal(err)
	}
	server := kubectl(t, "config", "view", "-o", "jsonpath={.clusters[0].cluster.server}")
	path := filepath.Join(t.TempDir(), "kubeconfig")
	config := fmt.Sprintf(`{apiVersion: v1, kind: Config, current-context: user,
 clusters: [{name: c, cluster: {server: "%s", certificate-authority-data: %s}}],
 contexts: [{name: user, context: {cluster: c, user: u, namespace: %s}}],
 users: [{name: u, user: {token: %s}}]}`, server, base64.StdEncoding.EncodeToString(ca), namespace, token)
	if err := os.WriteFile(path, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	return []string{"--kubeconfig", path}
}

// TestClonesAcrossNamespaces checks who may have a copy of another namespace's volume.
func TestClonesAcrossNamespaces(t *testing.T) {
	t.Parallel()
	images := newNamespace(t, "e2e-clone-images")
	own := newNamespace(t, "e2e-clone-user")
	kubectl(t, "-n", own, "create", "serviceaccount", "user")
	kubectl(t, "-n", own, "create", "rolebinding", "user", "--clusterrole=edit", "--serviceaccount="+own+":user")
	user := userOf(t, own)
	// Pointing there gives nothing: who clones it is asked.
	out, err := try(t.Context(), t, fmt.Sprintf(`{apiVersion: cdi.kubevirt.io/v1beta1, kind: DataSource, metadata: {name: far, namespace: %s},
  spec: {source: {pvc: {namespace: %s, name: disk}}}}`, own, images), "hack/cluster/kubectl.sh", append(user, "apply", "-f", "-")...)
	if err != nil {
		t.Fatal(out, err)
	}
	claim := fmt.Sprintf(`{apiVersion: cdi.kubevirt.io/v1beta1, kind: DataVolume, metadata: {name: claim, namespace: %s},
  spec: {source: {pvc: {namespace: %s, name: disk}}, storage: {resources: {requests: {storage: 1Gi}}}}}`, own, images)
	forged := fmt.Sprintf(`{apiVersion: cdi.kubevirt.io/v1beta1, kind: DataVolume, metadata: {name: forged, namespace: %[1]s,
  annotations: {cdi.kubevirt.io/storage.clone.source: %[2]s/disk, cdi.kubevirt.io/storage.clone.sourceUID: "1",
    cdi.kubevirt.io/storage.clone.requester: '{"username":"admin"}'}},
  spec: {source: {pvc: {namespace: %[1]s, name: mine}}, storage: {resources: {requests: {storage: 1Gi}}}}}`, own, images)
	asUser := func(manifest string) (string, error) {
		return try(t.Context(), t, manifest, "hack/cluster/kubectl.sh", append(user, "create", "--dry-run=server", "-o", "json", "-f", "-")...)
	}

	refusal := "User system:serviceaccount:" + own + ":user has insufficient permissions in clone source namespace " + images
	manifests := map[string]string{
		"a claim":                   claim,
		"a DataSource":              cloneManifest(own, "ref", images, "fedora", storageClass, "Filesystem"),
		"a DataSource of one's own": cloneManifest(own, "own-ref", own, "far", storageClass, "Filesystem"),
	}
	for name, manifest := range manifests {
		if out, err := asUser(manifest); err == nil || !strings.Contains(err.Error(), refusal) {
			t.Errorf("%s: got %s %v, want %q", name, out, err, refusal)
		}
	}
	if out, err := asUser(forged); err != nil || strings.Contains(out, "storage.clone.source") {
		t.Errorf("a forged annotation stays, or is refused: %s %v", out, err)
	}
	kubectl(t, "-n", images, "create", "rolebinding", "user", "--clusterrole=cdi.kubevirt.io:clone-sourcer", "--serviceaccount="+own+":user")
	eventually(t, own, func() string { // the answers of the authorizer are kept for some seconds
		for name, manifest := range manifests {
			if _, err := asUser(manifest); err != nil {
				return name + ": " + err.Error()
			}
		}
		return ""
	})
}
