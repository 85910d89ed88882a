//go:build e2e

// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"
)

// TestFailuresShowAndHeal breaks each thing that a site can get wrong, looks where a user
// looks (a condition of the DataImportCron, and an event), mends it, and waits for the
// DataSource without changing the DataImportCron again. Where the image itself was wrong, a
// trigger stands for the next poll on schedule.
func TestFailuresShowAndHeal(t *testing.T) {
	namespace := newNamespace(t, "e2e-failures")
	const open = "registry.golden-image.test/failures/"
	ca := stateFile(t, "registry-ca.crt")
	later := fmt.Sprintf("later-%d", time.Now().Unix()) // a tag that no earlier run pushed
	tests := map[string]struct {
		cron cronManifest
		// condition and reason of the DataImportCron, and words of its message.
		condition, reason string
		message           []string
		// before makes the fault, mend ends it.
		before, mend func(t *testing.T)
		// alone is what takes something from the others.
		alone bool
	}{
		"unknown tag": {
			cron:      cronManifest{name: "tag", url: open + "tag:" + later},
			condition: "SourceReachable", reason: "NotFound", message: []string{"tag:" + later},
			before: func(t *testing.T) { push(t, open+"tag:other", "tag") },
			mend:   func(t *testing.T) { push(t, open+"tag:"+later, "tag") },
		},
		"wrong credentials": {
			cron:      cronManifest{name: "wrong", url: privateName + "/failures/wrong:1", secretRef: "wrong"},
			condition: "SourceReachable", reason: "Unauthorized", message: []string{"secretRef"},
			before: func(t *testing.T) {
				pushPrivate(t, "failures/wrong:1")
				secret(t, namespace, "wrong", "not-it")
			},
			mend: func(t *testing.T) { secret(t, namespace, "wrong", password(t)) },
		},
		"missing secret": {
			cron:      cronManifest{name: "secret", url: privateName + "/failures/secret:1", secretRef: "absent"},
			condition: "SourceReachable", reason: "SecretNotFound", message: []string{"absent", namespace},
			before: func(t *testing.T) { pushPrivate(t, "failures/secret:1") },
			mend:   func(t *testing.T) { secret(t, namespace, "absent", password(t)) },
		},
		"missing certificate authority": {
			cron:      cronManifest{name: "ca", url: open + "ca:1", certConfigMap: "empty-certs"},
			condition: "SourceReachable", reason: "TLSFailed", message: []string{"certConfigMap"},
			before: func(t *testing.T) {
				push(t, open+"ca:1", "ca")
				kubectl(t, "-n", namespace, "create", "configmap", "empty-certs", "--from-literal=other.crt="+selfSigned)
			},
			mend: func(t *testing.T) {
				kubectl(t, "-n", namespace, "delete", "configmap", "empty-certs")
				kubectl(t, "-n", namespace, "create", "configmap", "empty-certs", "--from-file=ca.crt="+ca)
			},
		},
		"missing ConfigMap": {
			cron:      cronManifest{name: "certs", url: open + "certs:1", certConfigMap: "absent-certs"},
			condition: "SourceReachable", reason: "ConfigMapNotFound", message: []string{"absent-certs", namespace},
			before: func(t *testing.T) { push(t, open+"certs:1", "certs") },
			mend: func(t *testing.T) {
				kubectl(t, "-n", namespace, "create", "configmap", "absent-certs", "--from-file=ca.crt="+ca)
			},
		},
		"registry down": {
			cron:      cronManifest{name: "down", url: privateName + "/failures/down:1", secretRef: "down"},
			condition: "SourceReachable", reason: "Unreachable", message: []string{privateName},
			before: func(t *testing.T) {
				pushPrivate(t, "failures/down:1")
				secret(t, namespace, "down", password(t))
				run(t, "", "hack/cluster/registry.sh", "stop", "private")
			},
			mend:  func(t *testing.T) { run(t, "", "hack/cluster/registry.sh", "start", "private") },
			alone: true,
		},
		"image without a disk": {
			cron:      cronManifest{name: "nodisk", url: open + "nodisk:1"},
			condition: "Progressing", reason: "NoDiskInImage", message: []string{"/disk"},
			before: func(t *testing.T) { push(t, open+"nodisk:1", "nodisk", "-layout", "no-disk") },
			mend: func(t *testing.T) {
				push(t, open+"nodisk:1", "nodisk")
				trigger(t, namespace, "nodisk", "")
			},
		},
		"image larger than the volume": {
			cron:      cronManifest{name: "large", url: open + "large:1", storage: "2Gi"},
			condition: "Progressing", reason: "VolumeTooSmall", message: []string{"larger"},
			before: func(t *testing.T) { push(t, open+"large:1", "large", "-virtual-size", "4Gi") },
			mend: func(t *testing.T) {
				push(t, open+"large:1", "large")
				trigger(t, namespace, "large", "")
			},
		},
		"unknown storage class": {
			cron:      cronManifest{name: "class", url: open + "class:1", storageClass: "later-class"},
			condition: "Progressing", reason: "StorageClassNotFound", message: []string{"later-class", storageClass},
			before: func(t *testing.T) { push(t, open+"class:1", "class") },
			mend: func(t *testing.T) {
				apply(t, "{apiVersion: storage.k8s.io/v1, kind: StorageClass, metadata: {name: later-class}, provisioner: "+
					strings.TrimSpace(kubectl(t, "get", "storageclass", storageClass, "-o", "jsonpath={.provisioner}"))+"}")
				t.Cleanup(func() { kubectlAfter(t, "delete", "storageclass", "later-class") })
			},
		},
	}
	t.Run("faults", func(t *testing.T) {
		for name, test := range tests {
			t.Run(name, func(t *testing.T) {
				if !test.alone {
					t.Parallel()
				}
				test.before(t)
				test.cron.namespace = namespace
				cron := "dic/" + test.cron.name
				apply(t, test.cron.String())
				wait(t, namespace, cron, "condition="+test.condition+"=False")
				condition := "{.status.conditions[?(@.type==\"" + test.condition + "\")]"
				eventually(t, namespace, func() string {
					if got := get(t, namespace, cron, condition+".reason}"); got != test.reason {
						return "the reason is " + got + ", want " + test.reason
					}
					return ""
				})
				message := get(t, namespace, cron, condition+".message}")
				t.Logf("%s: %s", test.reason, message)
				for _, word := range test.message {
					if !strings.Contains(message, word) {
						t.Errorf("the message does not say %q: %s", word, message)
					}
				}
				eventually(t, namespace, func() string {
					events := kubectl(t, "-n", namespace, "get", "events", "--field-selector", "type=Warning,involvedObject.kind=DataImportCron,involvedObject.name="+test.cron.name)
					if !strings.Contains(events, "dataimportcron/"+test.cron.name) {
						return "no event: " + events
					}
					return ""
				})
				test.mend(t)
				wait(t, namespace, cron, "condition=UpToDate")
				wait(t, namespace, "das/"+test.cron.name, "condition=Ready")
			})
		}
	})
	leftovers(t, namespace)
}

func password(t *testing.T) string {
	t.Helper()
	data, err := os.ReadFile(stateFile(t, privateUserFile))
	if err != nil {
		t.Fatal(err)
	}
	_, password, _ := strings.Cut(strings.TrimSpace(string(data)), ":")
	return password
}

func pushPrivate(t *testing.T, repository string) {
	t.Helper()
	run(t, "", "_output/bin/testdisk", "-version", repository, "-connect", privateRegistry,
		"-ca", stateFile(t, "registry-ca.crt"), "-user-file", stateFile(t, privateUserFile), "-push", privateName+"/"+repository)
}

// secret makes or replaces a Secret with CDI's two keys.
func secret(t *testing.T, namespace, name, password string) {
	t.Helper()
	apply(t, "{apiVersion: v1, kind: Secret, metadata: {name: "+name+", namespace: "+namespace+
		"}, stringData: {accessKeyId: puller, secretKey: \""+password+"\"}}")
}

// privateUserFile in the cluster's state holds USER:PASSWORD for the private registry.
const (
	privateUserFile = "../registry/puller.password"
)

// selfSigned is a certificate authority that signed nothing here.
const selfSigned = `-----BEGIN CERTIFICATE-----
MIIBejCCAR+gAwIBAgIUCwnnavkYYjed0mC1jEI1jlgUK0EwCgYIKoZIzj0EAwIw
ETEPMA0GA1UEAwwGbm9ib2R5MCAXDTI2MTEyMzE5NDU0N1oYDzIxMjYxMDMwMTk0
NTQ3WjARMQ8wDQYDVQQDDAZub2JvZHkwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNC
AATk3cAgIW/N8nQLInRZvEN1yaraJo4ueGQOXBy/YPH68sB2UYVgBLdzOnq1GL62
H/2UnT60VnXqbhfP7tO0RKJMo1MwUTAdBgNVHQ4EFgQUCYqlMKDAIpj8Q2G3tr/L
yHHq03IwHwYDVR0jBBgwFoAUCYqlMKDAIpj8Q2G3tr/LyHHq03IwDwYDVR0TAQH/
BAUwAwEB/zAKBggqhkjOPQQDAgNJADBGAiEApC1Af5AoxTGxTHUPwYnpns+IdNJK
JT3PS1SJINn4CPACIQDeumW8mqdNUNZ6sRcaX2bnjk49fyox+MHC59/mWA+TLQ==
-----END CERTIFICATE-----`
