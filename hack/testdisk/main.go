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
	"path/filepath"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, os.Args[1:], os.Stdout)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "testdisk:", err)
		os.Exit(1)
	}
}

// options are the command's arguments.
type options struct {
	disk   diskOptions
	layout string
	rawSum string // path; "" = not asked for
	out    string // path of the archive; "" = none
	name   string // reference that the archive carries; "" = that of target
	target target
}

// The values of the flag -layout.
const (
	layoutContainerDisk = "container-disk"
	layoutNoDisk        = "no-disk"
)

func parse(args []string) (options, error) {
	o := options{disk: diskOptions{virtualSize: 1 << 30, contentSize: 96 << 20}}
	flags := flag.NewFlagSet("testdisk", flag.ContinueOnError)
	flags.StringVar(&o.disk.version, "version", "1", "decides the disk's content, which names it in /etc/os-release")
	flags.StringVar(&o.disk.format, "format", formatQcow2, "qcow2 or raw")
	flags.BoolVar(&o.disk.compress, "compress", false, "compress the clusters of the qcow2")
	flags.Var(&o.disk.virtualSize, "virtual-size", "size of the disk: bytes, or with the suffix Ki, Mi, Gi")
	flags.Var(&o.disk.contentSize, "content-size", "size of the generated files")
	flags.StringVar(&o.layout, "layout", layoutContainerDisk, "container-disk, or no-disk for an image without the folder disk/")
	flags.StringVar(&o.rawSum, "raw-sum", "", "file to write the disk's SHA-256 to, over its virtual size, in hexadecimal")
	flags.StringVar(&o.out, "out", "", "OCI archive to write")
	flags.StringVar(&o.name, "name", "", "reference that the archive gives the image (default: that of -push)")
	flags.StringVar(&o.target.reference, "push", "", "reference to push to")
	flags.StringVar(&o.target.connect, "connect", "", "HOST:PORT to connect to instead of the reference's host")
	flags.StringVar(&o.target.ca, "ca", "", "PEM file with the registry's certificate authorities (default: the machine's)")
	flags.StringVar(&o.target.userFile, "user-file", "", "file with USER:PASSWORD for the registry")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	if o.name == "" {
		o.name = o.target.reference
	}
	return o, errors.Join(o.validate(flags.Args())...)
}

// validate returns all that is wrong with the arguments.
func (o *options) validate(rest []string) (errs []error) {
	if len(rest) > 0 {
		errs = append(errs, fmt.Errorf("unexpected arguments %q", rest))
	}
	if o.disk.format != formatQcow2 && o.disk.format != formatRaw {
		errs = append(errs, fmt.Errorf("-format is %q, must be qcow2 or raw", o.disk.format))
	}
	if o.layout != layoutContainerDisk && o.layout != layoutNoDisk {
		errs = append(errs, fmt.Errorf("-layout is %q, must be container-disk or no-disk", o.layout))
	}
	if o.disk.compress && o.disk.format != formatQcow2 {
		errs = append(errs, errors.New("-compress needs -format qcow2"))
	}
	if o.disk.contentSize > o.disk.virtualSize/2 {
		errs = append(errs, fmt.Errorf("-content-size must be at most half of -virtual-size, which is %d", o.disk.virtualSize))
	}
	if o.out != "" && o.name == "" {
		errs = append(errs, errors.New("-out needs -name or -push"))
	}
	if o.out == "" && o.rawSum == "" && o.target.reference == "" {
		errs = append(errs, errors.New("nothing to do: give at least one of -push, -out and -raw-sum"))
	}
	return errs
}

func run(ctx context.Context, args []string, stdout io.Writer) (err error) {
	o, err := parse(args)
	if errors.Is(err, flag.ErrHelp) {
		return nil
	} else if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "testdisk-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()

	disk, err := makeDisk(ctx, dir, o.disk)
	if err != nil {
		return err
	}
	if o.rawSum != "" {
		if err := writeRawSum(ctx, dir, disk, o.disk.format, o.rawSum); err != nil {
			return err
		}
	}
	if o.out == "" && o.target.reference == "" {
		return nil
	}
	folder := "disk"
	if o.layout == layoutNoDisk {
		folder = "image"
	}
	img, err := makeImage(filepath.Join(dir, "layer.tar.gz"), folder, disk)
	if err != nil {
		return err
	}
	return deliver(ctx, o, img, stdout)
}

func deliver(ctx context.Context, o options, img v1.Image, stdout io.Writer) error {
	if o.out != "" {
		if err := writeArchive(o.out, o.name, img); err != nil {
			return fmt.Errorf("write %s: %w", o.out, err)
		}
	}
	if o.target.reference != "" {
		if err := o.target.push(ctx, img); err != nil {
			return err
		}
	}
	digest, err := img.Digest()
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(stdout, digest)
	return err
}
