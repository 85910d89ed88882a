#!/usr/bin/env bash
# Copyright The Golden Image Authors.
# SPDX-License-Identifier: Apache-2.0
#
# Makes the container images from the binaries in _output/bin, without Docker. With --push
# they go to $REGISTRY.
set -euo pipefail
cd "$(dirname "$0")/.."
registry=${REGISTRY:-golden-image.test}
tag=${TAG:-dev}
hack/install-packages.sh
mkdir -p _output/images
push() { [ "${1:-}" != --push ] || echo "-push $registry/$2:$tag"; }
# shellcheck disable=SC2046 # no flag or two words
go run ./hack/image -name "$registry/golden-image-apiserver:$tag" -out _output/images/golden-image-apiserver.tar \
	-binary _output/bin/golden-image-apiserver -entrypoint /golden-image-apiserver -user 65532:65532 \
	$(push "${1:-}" golden-image-apiserver)
# shellcheck disable=SC2046
go run ./hack/image -name "$registry/golden-image-importer:$tag" -out _output/images/golden-image-importer.tar \
	-binary _output/bin/golden-image-importer -entrypoint /golden-image-importer -user 107:107 \
	-with-program "$(command -v qemu-img)" $(push "${1:-}" golden-image-importer)
