//go:build e2e

// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"strings"
	"testing"
	"time"
)

// TestConditionsTellTheTruthAllAlong changes the registry's password and certificate while a cron
// polls it, and stops it for minutes. Each time the cron says so and heals when it is given what it
// needs, and its users keep their image.
func TestConditionsTellTheTruthAllAlong(t *testing.T) {
	t.Parallel()
	namespace := newNamespace(t, "e2e-rotation")
	const name = "rotating"
	push(t, "registry.golden-image.test/rotation/disk:1", "rotation")
	g := newGate(t)
	secret(t, namespace, name, g.changePassword())
	authority := func() {
		apply(t, "{apiVersion: v1, kind: ConfigMap, metadata: {name: "+name+", namespace: "+namespace+
			"}, data: {ca.crt: \""+strings.ReplaceAll(g.authority(), "\n", "\\n")+"\"}}")
	}
	authority()
	apply(t, cronManifest{namespace: namespace, name: name, url: g.address + "/rotation/disk:1", secretRef: name, certConfigMap: name}.String())
	kubectl(t, "-n", namespace, "patch", "dic/"+name, "--type=merge", "-p", `{"spec":{"schedule":"@every 10s"}}`)
	eventually(t, namespace, func() string {
		if found := kubectl(t, "-n", namespace, "get", "datasource", name, "--ignore-not-found", "-o", "name"); found == "" {
			return "there is no DataSource"
		}
		return ""
	})
	wait(t, namespace, "datasource/"+name, "condition=Ready")
	is := func(want string) string {
		if ready := get(t, namespace, "datasource/"+name, `{.status.conditions[?(@.type=="Ready")].status}`); ready != "True" {
			t.Fatalf("the DataSource is ready: %s", ready)
		}
		got := get(t, namespace, "dic/"+name, `{.status.conditions[?(@.type=="SourceReachable")].reason}`)
		if got != want {
			return "the reason is " + got + ", want " + want
		}
		return ""
	}
	expect := func(reason string, within time.Duration) {
		t.Helper()
		begin := time.Now()
		repeat(t, namespace, within, func() string { return is(reason) })
		message := get(t, namespace, "dic/"+name, `{.status.conditions[?(@.type=="SourceReachable")].message}`)
		t.Logf("%s after %s: %s", reason, time.Since(begin).Round(time.Second), message)
	}
	expect("Reachable", patience)

	password := g.changePassword()
	expect("Unauthorized", patience)
	secret(t, namespace, name, password)
	expect("Reachable", patience)

	g.changeCertificate()
	expect("TLSFailed", patience)
	authority()
	expect("Reachable", patience)

	g.stop()
	expect("Unreachable", patience)
	for end := time.Now().Add(2 * time.Minute); time.Now().Before(end); <-time.After(5 * time.Second) {
		if wrong := is("Unreachable"); wrong != "" {
			t.Fatal(wrong)
		}
	}
	g.start()
	// The pause of the fifth failure is below eight minutes, and mostly far below.
	expect("Reachable", 8*time.Minute)
	for _, reason := range []string{"Unauthorized", "TLSFailed", "Unreachable", "SourceReachable"} {
		events := kubectl(t, "-n", namespace, "get", "events", "--field-selector", "reason="+reason+",involvedObject.name="+name, "-o", "name")
		if events == "" {
			t.Errorf("no event tells of %s", reason)
		}
	}
}
