# Copyright The Golden Image Authors.
# SPDX-License-Identifier: Apache-2.0

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

# The API machinery wants a semantic version.
VERSION ?= $(shell git describe --tags --match 'v*' --dirty 2>/dev/null || echo v0.0.0-$$(git describe --always --dirty 2>/dev/null || echo unknown))
# Where images are pushed to and deployed from. The local cluster loads them without a registry.
REGISTRY ?= golden-image.test
TAG ?= dev

out := _output
lint := go tool -modfile=hack/tools/go.mod golangci-lint
version_flags := -X k8s.io/component-base/version.gitVersion=$(VERSION)

export VERSION REGISTRY TAG

##@ Use

.PHONY: help
help: ## Show this list.
	@awk 'BEGIN {FS = ":.*##"} /^##@/ {printf "\n%s\n", substr($$0, 5)} /^[a-zA-Z0-9_-]+:.*##/ {printf "  %-18s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: run
run: ## Bring up the local cluster with the server and the examples, and leave it running.
	hack/run.sh

.PHONY: stop
stop: ## End the local cluster and remove its state.
	hack/cluster/down.sh

.PHONY: kubeconfig
kubeconfig: ## Print the path of the local cluster's kubeconfig (make -s kubeconfig).
	@hack/cluster/kubeconfig.sh

.PHONY: deploy
deploy: ## Install into the cluster of the current kubeconfig, from REGISTRY and TAG.
	hack/deploy.sh

##@ Build

.PHONY: build
build: ## Build the binaries into _output/bin.
	@mkdir -p $(out)/bin
	CGO_ENABLED=0 go build -trimpath -ldflags '-s -w $(version_flags)' -o $(out)/bin/ ./cmd/...

.PHONY: images
images: build ## Make the container images as OCI archives in _output/images.
	hack/images.sh

.PHONY: push
push: ## Push the images to REGISTRY with TAG.
	hack/images.sh --push

##@ Check

.PHONY: test
test: test-unit test-e2e test-openapi ## Run all tests: unit, integration, end to end, generated clients.

.PHONY: test-unit
test-unit: ## Run the unit and integration tests.
	hack/install-packages.sh
	go test -race -shuffle=on ./...

.PHONY: test-e2e
test-e2e: ## Run the end-to-end tests on the local cluster, which is brought up if needed.
	hack/test-e2e.sh

.PHONY: test-openapi
test-openapi: ## Check the OpenAPI document and the clients generated from it, on the local cluster.
	hack/test-openapi.sh

.PHONY: verify
verify: ## Check lint, generated code, licence headers and docs. Changes nothing.
	$(lint) run ./...
	hack/verify-codegen.sh
	hack/verify-headers.sh
	hack/verify-docs.sh

.PHONY: bench
bench: ## Run the benchmarks; tables to the screen, figures to _output/bench.
	hack/bench.sh

.PHONY: bench-%
bench-%: ## Run one benchmark.
	hack/bench.sh $*

##@ Develop

.PHONY: update
update: ## Generate code and docs, and format.
	hack/update-codegen.sh
	hack/update-docs.sh
	$(lint) fmt ./...
