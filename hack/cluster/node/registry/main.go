// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"crypto/rand"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/distribution/distribution/v3/registry"
	_ "github.com/distribution/distribution/v3/registry/auth/htpasswd"
	_ "github.com/distribution/distribution/v3/registry/storage/driver/filesystem"
	"golang.org/x/crypto/bcrypt"
)

func main() {
	if len(os.Args) > 1 && os.Args[1] == "user" {
		if err := user(os.Args[2:]); err != nil {
			fmt.Fprintln(os.Stderr, "registry:", err)
			os.Exit(1)
		}
		return
	}
	if err := registry.RootCmd.Execute(); err != nil {
		os.Exit(1) // the command has printed the error
	}
}

// user makes a user with a random password: NAME.password holds "NAME:PASSWORD" for
// clients, htpasswd its hash for the server.
func user(args []string) error {
	flags := flag.NewFlagSet("user", flag.ExitOnError)
	dir := flags.String("dir", "", "folder to write to")
	name := flags.String("name", "", "name of the user")
	_ = flags.Parse(args) // it exits on an error
	if *dir == "" || *name == "" {
		return errors.New("user needs -dir and -name")
	}
	// The hash is written last: where it is, both are.
	hashed := filepath.Join(*dir, "htpasswd")
	if _, err := os.Stat(hashed); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	password := rand.Text()
	hash, err := bcrypt.GenerateFromPassword([]byte(password), bcrypt.MinCost)
	if err != nil {
		return fmt.Errorf("hash the password: %w", err)
	}
	clients := filepath.Join(*dir, *name+".password")
	if err := os.WriteFile(clients, []byte(*name+":"+password+"\n"), 0o600); err != nil {
		return err
	}
	return os.WriteFile(hashed, fmt.Appendf(nil, "%s:%s\n", *name, hash), 0o600)
}
