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
	"path"
	"regexp"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, os.Args[1:], os.Stdout)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "image:", err)
		os.Exit(1)
	}
}

// options are the command's flags.
type options struct {
	name       string
	out        string
	binaries   values
	entrypoint string
	user       string
	programs   values
	sysroots   values // ARCH=DIR
	authority  string
	target     target
}

// values is a flag that may be given several times.
type values []string

func (v *values) String() string { return strings.Join(*v, ",") }

func (v *values) Set(value string) error {
	*v = append(*v, value)
	return nil
}

var numericUser = regexp.MustCompile(`^[0-9]+:[0-9]+$`)

func parse(arguments []string) (options, error) {
	var o options
	flags := flag.NewFlagSet("image", flag.ContinueOnError)
	flags.StringVar(&o.name, "name", "", "reference that the archive gives the image")
	flags.StringVar(&o.out, "out", "", "OCI archive to write")
	flags.Var(&o.binaries, "binary", "static binary; give one for each architecture")
	flags.StringVar(&o.entrypoint, "entrypoint", "", "where the binary is in the image")
	flags.StringVar(&o.user, "user", "65532:65532", "UID:GID that the image runs as")
	flags.Var(&o.programs, "with-program", "program to add with its shared libraries, by its absolute path; may be repeated")
	flags.Var(&o.sysroots, "sysroot", "ARCH=DIR, the root file system that programs for an architecture come from (default: this machine's for its own)")
	flags.StringVar(&o.authority, "certificates", "/etc/ssl/certs/ca-certificates.crt", "certificate authorities to add, if the file exists; empty for none")
	flags.StringVar(&o.target.reference, "push", "", "reference to push to")
	flags.StringVar(&o.target.authority, "ca", "", "PEM file with the registry's certificate authorities (default: the machine's)")
	flags.StringVar(&o.target.userFile, "user-file", "", "file with USER:PASSWORD for the registry")
	if err := flags.Parse(arguments); err != nil {
		return o, err
	}
	return o, o.validate(flags.Args())
}

func (o options) validate(rest []string) error {
	var problems []error
	for problem, found := range map[string]bool{
		fmt.Sprintf("unexpected arguments %q", rest):                    len(rest) > 0,
		"nothing to do: give -out or -push":                             o.out == "" && o.target.reference == "",
		"-out needs -name":                                              o.out != "" && o.name == "",
		"-binary is missing":                                            len(o.binaries) == 0,
		"-entrypoint must be an absolute path":                          !path.IsAbs(o.entrypoint),
		fmt.Sprintf("-user must be UID:GID in numbers, not %q", o.user): !numericUser.MatchString(o.user),
	} {
		if found {
			problems = append(problems, errors.New(problem))
		}
	}
	for _, p := range o.programs {
		if !path.IsAbs(p) {
			problems = append(problems, fmt.Errorf("-with-program must be an absolute path, not %q", p))
		}
	}
	for _, s := range o.sysroots {
		if architecture, dir, ok := strings.Cut(s, "="); !ok || architecture == "" || dir == "" {
			problems = append(problems, fmt.Errorf("-sysroot must be ARCH=DIR, not %q", s))
		}
	}
	return errors.Join(problems...)
}

// run makes the image and prints its digest.
func run(ctx context.Context, arguments []string, stdout io.Writer) error {
	o, err := parse(arguments)
	if err != nil {
		return err
	}
	images, err := makeImages(o)
	if err != nil {
		return err
	}
	made := combine(images)
	if o.out != "" {
		if err := writeArchive(o.out, o.name, made); err != nil {
			return fmt.Errorf("write %s: %w", o.out, err)
		}
	}
	if o.target.reference != "" {
		if err := o.target.push(ctx, made); err != nil {
			return err
		}
	}
	digest, err := digestOf(made)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(stdout, digest)
	return err
}

func digestOf(what any) (v1.Hash, error) {
	return what.(interface{ Digest() (v1.Hash, error) }).Digest()
}
