#!/usr/bin/env bash
# Copyright The Golden Image Authors.
# SPDX-License-Identifier: Apache-2.0
#
# Installs artifacts/deploy with the images of $REGISTRY and $TAG into the cluster of the
# current kubeconfig, and waits until the API answers. $BUILT, if it is set, marks the Pods, so
# that other images of the same tag replace them.
set -euo pipefail
cd "$(dirname "$0")/.."
registry=${REGISTRY:-golden-image.test}
tag=${TAG:-dev}
kubectl=${KUBECTL:-kubectl}
mkdir -p _output/deploy
cat >_output/deploy/kustomization.yaml <<END
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
resources:
- ../../artifacts/deploy
images:
- name: golden-image-apiserver
  newName: $registry/golden-image-apiserver
  newTag: "$tag"
patches:
- target: {kind: StatefulSet, name: golden-image-apiserver}
  patch: |
    apiVersion: apps/v1
    kind: StatefulSet
    metadata:
      name: golden-image-apiserver
    spec:
      template:
${BUILT:+        metadata: {annotations: {golden-image.test/built: \"$BUILT\"\}\}}
        spec:
          containers:
          - name: server
            env:
            - name: IMPORTER_IMAGE
              value: $registry/golden-image-importer:$tag
END
"$kubectl" apply --server-side --field-manager=golden-image-deploy -k _output/deploy
"$kubectl" -n golden-image rollout status statefulset/golden-image-apiserver --timeout=${ROLLOUT_TIMEOUT:-180s}
"$kubectl" wait --for=condition=Available --timeout=120s apiservice/v1beta1.cdi.kubevirt.io
