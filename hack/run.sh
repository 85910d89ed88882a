#!/usr/bin/env bash
# Copyright The Golden Image Authors.
# SPDX-License-Identifier: Apache-2.0
#
# Shows the main job on the local cluster: an image is polled, imported and published, a
# volume is cloned from it; then a newer image and a trigger move it on. All stays up.
set -euo pipefail
cd "$(dirname "$0")/.."
begin=$SECONDS
hack/local.sh

step() { printf '\n\033[1m==> %s\033[0m\n' "$*"; }
kubectl() { hack/cluster/kubectl.sh "$@"; }
show() {
	printf '\n$ kubectl %s\n' "$*"
	kubectl "$@"
}
up=$SECONDS
cron=dataimportcron/fedora-image-import-cron

step "The examples, as they are in artifacts/example"
show apply -f artifacts/example/dataimportcron.yaml -f artifacts/example/datavolume.yaml
show -n golden-images wait --for=condition=UpToDate --timeout=300s $cron
show -n golden-images wait --for=condition=Ready --timeout=300s datasource/fedora datavolume/fedora-ref
show -n golden-images get dic,das,dv,pvc

step "A newer image is pushed, and a poll asked for"
_output/bin/testdisk -version "$(date +%s)" -connect 10.213.0.1:443 \
	-ca "$(dirname "$(hack/cluster/kubeconfig.sh)")/registry-ca.crt" -push quay.io/kubevirt/fedora-cloud-registry-disk-demo:latest
before=$(kubectl -n golden-images get datasource fedora -o 'jsonpath={.spec.source.pvc.name}')
show create --raw /apis/cdi.kubevirt.io/v1beta1/namespaces/golden-images/dataimportcrons/fedora-image-import-cron/trigger -f /dev/null
show -n golden-images wait --for=condition=UpToDate=False --timeout=60s $cron
show -n golden-images wait --for=condition=UpToDate --timeout=300s $cron
show -n golden-images get dic,das,dv,pvc
after=$(kubectl -n golden-images get datasource fedora -o 'jsonpath={.spec.source.pvc.name}')
printf '\nThe DataSource pointed to %s and points to %s.\n' "$before" "$after"
printf 'Cluster and server were up after %s s, all of this took %s s.\n\n' "$((up - begin))" "$((SECONDS - begin))"
cat <<END
The cluster stays up. To look around:

  export KUBECONFIG=\$(make -s kubeconfig)    # no kubectl here? hack/cluster/kubectl.sh is one
  kubectl get dic,das,dv,pvc -n golden-images
  kubectl describe dic -n golden-images

To end it: make stop
END
