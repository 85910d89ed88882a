// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

// Command golden-image-apiserver serves cdi.kubevirt.io/v1beta1 and runs its controllers.
package main

import (
	"os"
	_ "time/tzdata" // for CRON_TZ: the container image has no time zones

	genericapiserver "k8s.io/apiserver/pkg/server"
	"k8s.io/component-base/cli"

	"goldenimage.dev/cmd/golden-image-apiserver/app"
)

func main() {
	ctx := genericapiserver.SetupSignalContext()
	os.Exit(cli.Run(app.NewCommand(ctx)))
}
