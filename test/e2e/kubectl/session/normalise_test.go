// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package session

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestNormalise(t *testing.T) {
	for name, test := range map[string]struct{ output, want string }{
		"an object": {
			`  creationTimestamp: "2026-11-23T22:28:16Z"
  resourceVersion: "1234"
  uid: 0b2f9c1e-7d4b-4c0a-9a55-0123456789ab
  generation: 2`,
			`  creationTimestamp: "<time>"
  resourceVersion: "<version>"
  uid: <uid>
  generation: 2`,
		},
		"JSON": {
			`{"resourceVersion":"1234","time":"2026-11-23T22:28:16.123456Z"}`,
			`{"resourceVersion":"<version>","time":"<time>"}`,
		},
		"digests and names made from them": {
			"sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef fedora-0123456789ab",
			"sha256:<digest> fedora-<digest>",
		},
		"what took long, and by which release": {
			"    duration: 507ms\n  Duration:  1.2s\nImported sha into PVC fedora in 6s, not in 6s\n  operatorVersion: v0.0.0-e753d0b-dirty",
			"    duration: <duration>\n  Duration:  <duration>\nImported sha into PVC fedora in <duration>, not in 6s\n  operatorVersion: <release>",
		},
		"a table whose width depends on ages": {
			`NAME     AGE     READY   MESSAGE
fedora   3m12s   True    went on for 3m
a        2s      False   <none>`,
			`NAME     AGE     READY   MESSAGE
fedora   <age>   True    went on for 3m
a        <age>   False   <none>`,
		},
		"a table with a column whose name ends another": {
			`NAME   MESSAGE   AGE
a      b         2s`,
			`NAME   MESSAGE   AGE
a      b         <age>`,
		},
		"a table with empty cells": {
			`NAME          SHORTNAMES   KIND
datasources   das          DataSource
events                     Event`,
			`NAME          SHORTNAMES   KIND
datasources   das          DataSource
events                     Event`,
		},
		"a table whose last cells are empty": {
			`NAME     VERBS      CATEGORIES
cdis     get,list
events   get        all`,
			`NAME     VERBS      CATEGORIES
cdis     get,list
events   get        all`,
		},
		"a watch that prints a wider row": {
			`NAME   READY   AGE
a      True    1s
a-much-longer-name   False   1s`,
			`NAME                 READY   AGE
a                    True    <age>
a-much-longer-name   False   <age>`,
		},
		"relative times with words": {
			`NAME   LAST-POLL             NEXT-POLL   AGE
a      20s (Unchanged)       in 3d2h     400d
b      5m (Failed 3 times)   now         <none>`,
			`NAME   LAST-POLL                NEXT-POLL   AGE
a      <age> (Unchanged)        in <age>    <age>
b      <age> (Failed 3 times)   now         <none>`,
		},
		"a table without a header": {
			"fedora   True   3m12s\na   False   <none>",
			"fedora   True   <age>\na   False   <none>",
		},
		"tables and an error": {
			`NAME   AGE
a      1s

NAME   AGE
b      12s
Error from server (NotFound): datasources.cdi.kubevirt.io "c" not found`,
			`NAME   AGE
a      <age>

NAME   AGE
b      <age>
Error from server (NotFound): datasources.cdi.kubevirt.io "c" not found`,
		},
		"events of a description": {
			`Resource Version:  1234
Events:
  Type    Reason     Age                From                    Message
  ----    ------     ----               ----                    -------
  Normal  Triggered  3s (x2 over 12s)   golden-image-apiserver  A poll was asked for`,
			`Resource Version:  <version>
Events:
  Type     Reason      Age     From                     Message
  ----     ------      ----    ----                     -------
  Normal   Triggered   <age>   golden-image-apiserver   A poll was asked for`,
		},
		"conditions in YAML": {
			`status:
  conditions:
  - message: a sentence that
      goes on
    type: UpToDate
  - message: No current import
    type: Progressing
  phase: Pending
  other:
  - type: B
  - type: A`,
			`status:
  conditions:
  - message: No current import
    type: Progressing
  - message: a sentence that
      goes on
    type: UpToDate
  phase: Pending
  other:
  - type: B
  - type: A`,
		},
		"conditions of a description": {
			`Status:
  Conditions:
    Message:  No source digest
    Type:     UpToDate
    Message:  No current import
    Type:     Progressing
Events:       <none>`,
			`Status:
  Conditions:
    Message:  No current import
    Type:     Progressing
    Message:  No source digest
    Type:     UpToDate
Events:       <none>`,
		},
		"no conditions": {"conditions:\nconditions:", "conditions:\nconditions:"},
		"what kubectl diff compares": {
			"--- /tmp/LIVE-2918/cdi.kubevirt.io.v1beta1.DataSource.a.b\t2026-11-23 22:28:16.123456789 +0000",
			"--- LIVE/cdi.kubevirt.io.v1beta1.DataSource.a.b\t<time>",
		},
	} {
		t.Run(name, func(t *testing.T) {
			got := Normalise(test.output)
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Error(diff)
			}
			if again := Normalise(got); again != got {
				t.Errorf("not stable: %s", cmp.Diff(got, again))
			}
		})
	}
}
