// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(exitCode(err))
	}
}

// errUsage is an error of the arguments.
var errUsage = errors.New("wrong arguments")

func exitCode(err error) int {
	if errors.Is(err, errUsage) {
		return 2
	}
	return 1
}

// A benchmark has a name, which is also that of its file, and returns what it measured.
type benchmark struct {
	name, about string
	measure     func(ctx context.Context, s setting) ([]result, error)
}

func benchmarks() []benchmark {
	return []benchmark{
		{"import", "a container disk from a registry to a synced raw disk", measureImport},
		{"poll", "digests of a tag asked for, one after the other; and ten thousand crons polled each minute", measurePolls},
		{"api", "the API's verbs through the aggregator, and the same for a custom resource", measureAPI},
	}
}

// setting is what all benchmarks share.
type setting struct {
	worker string // path of the worker
	out    string // folder of the figures, and of what is made on the way
	log    io.Writer
	// kubeconfig of the cluster that the server runs in.
	kubeconfig string
	// fsyncMark is a file that has the cluster's etcd wait for the disk; empty if there is none.
	fsyncMark string
	// crons is how many are polled each minute.
	crons int
}

type options struct {
	setting
	child string
	rest  []string
}

func parse(args []string, stderr io.Writer) (options, error) {
	o := options{setting: setting{log: stderr}}
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.StringVar(&o.worker, "worker", "_output/bin/golden-image-importer", "program that imports")
	flags.StringVar(&o.out, "out", "_output/bench", "folder for the figures; must be on the disk that is measured")
	flags.StringVar(&o.kubeconfig, "kubeconfig", "", "kubeconfig of a cluster on this machine with the server in it")
	flags.StringVar(&o.fsyncMark, "etcd-fsync", "", "file whose presence makes that cluster's etcd, when it starts, wait for the disk")
	flags.IntVar(&o.crons, "crons", 10_000, "number of crons that are polled each minute, a multiple of 100")
	flags.StringVar(&o.child, "child", "", "for the program itself: the peer to be")
	err := flags.Parse(args)
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		err = fmt.Errorf("%w: %w", errUsage, err)
	}
	o.rest = flags.Args()
	return o, err
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	o, err := parse(args, stderr)
	if err != nil {
		return err
	}
	if o.child != "" {
		return runChild(ctx, o.child, o.rest, stdout)
	}
	chosen, err := choose(benchmarks(), o.rest)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(o.out, 0o755); err != nil {
		return err
	}
	for _, b := range chosen {
		_, _ = fmt.Fprintf(stderr, "%s: %s\n", b.name, b.about)
		results, err := b.measure(ctx, o.setting)
		if err != nil {
			return fmt.Errorf("%s: %w", b.name, err)
		}
		if err := publish(stdout, o.out, b.name, results); err != nil {
			return err
		}
	}
	return nil
}

// choose returns the benchmark that is asked for, or all.
func choose(all []benchmark, names []string) ([]benchmark, error) {
	if len(names) == 0 {
		return all, nil
	}
	var known strings.Builder
	for _, b := range all {
		if len(names) == 1 && b.name == names[0] {
			return []benchmark{b}, nil
		}
		fmt.Fprintf(&known, "\n  %-8s %s", b.name, b.about)
	}
	return nil, fmt.Errorf("%w: no benchmark is named %q; there are:%s", errUsage, strings.Join(names, " "), known.String())
}
