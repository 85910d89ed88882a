// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package app

import (
	"context"

	"github.com/spf13/cobra"

	utilerrors "k8s.io/apimachinery/pkg/util/errors"
	cliflag "k8s.io/component-base/cli/flag"
	"k8s.io/component-base/cli/globalflag"
	"k8s.io/component-base/logs"
	logsapi "k8s.io/component-base/logs/api/v1"
	_ "k8s.io/component-base/logs/json/register"
	_ "k8s.io/component-base/metrics/prometheus/clientgo"
	_ "k8s.io/component-base/metrics/prometheus/version"
	_ "k8s.io/component-base/metrics/prometheus/workqueue"
	"k8s.io/component-base/version/verflag"
)

// Name of the program, the event source, the field manager and the user agent.
const Name = "golden-image-apiserver"

// NewCommand returns the program as a command. It ends when ctx is done.
func NewCommand(ctx context.Context) *cobra.Command {
	options := NewOptions()
	command := &cobra.Command{
		Use:   Name,
		Short: "Serve golden images: cdi.kubevirt.io/v1beta1 and its controllers",
		Long: "The aggregated API server for DataImportCron, DataSource and DataVolume, and the controllers that\n" +
			"poll image sources, import new images into volumes, publish them and clone them for virtual machines.",
		Args:         cobra.NoArgs,
		SilenceUsage: true,
		RunE: func(command *cobra.Command, _ []string) error { //nolint:contextcheck // the command has the context
			verflag.PrintAndExitIfRequested()
			cliflag.PrintFlags(command.Flags())
			if err := logsapi.ValidateAndApply(options.Logs, nil); err != nil {
				return err
			}
			options.Complete()
			if errs := options.Validate(); len(errs) > 0 {
				return utilerrors.NewAggregate(errs)
			}
			return Run(command.Context(), options)
		},
	}
	command.SetContext(ctx)
	sections := options.Flags()
	verflag.AddFlags(sections.FlagSet("global"))
	globalflag.AddGlobalFlags(sections.FlagSet("global"), Name, logs.SkipLoggingConfigurationFlags())
	for _, section := range sections.FlagSets {
		command.Flags().AddFlagSet(section)
	}
	const columns = 100
	cliflag.SetUsageAndHelpFunc(command, sections, columns)
	return command
}

// Run serves until ctx is done.
func Run(ctx context.Context, options *Options) error {
	config, stop, err := options.Config(ctx)
	if err != nil {
		return err
	}
	defer stop()
	server, err := config.Complete().New()
	if err != nil {
		return err
	}
	return server.Run(ctx)
}
