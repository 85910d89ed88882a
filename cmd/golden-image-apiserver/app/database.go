// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package app

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/uuid"
	"k8s.io/client-go/kubernetes"
)

// databaseKey of the serving certificate's Secret names the database of the installation.
const databaseKey = "database"

// guardDatabase refuses to serve from another embedded database than this installation did
// before. Claims are owned by DataVolumes: while an empty database answers that those do not
// exist, Kubernetes deletes the claims, and virtual machines lose their disks.
func guardDatabase(ctx context.Context, client kubernetes.Interface, o *Options) error {
	have, err := databaseID(o.DataDir)
	if err != nil {
		return err
	}
	secrets := client.CoreV1().Secrets(o.Namespace)
	secret, err := secrets.Get(ctx, o.ServingCertSecret, metav1.GetOptions{})
	if err != nil {
		return fmt.Errorf("read which database was used before: %w", err)
	}
	switch used := string(secret.Data[databaseKey]); used {
	case have:
		return nil
	case "":
		secret.Data[databaseKey] = []byte(have)
		if _, err := secrets.Update(ctx, secret, metav1.UpdateOptions{}); err != nil {
			return fmt.Errorf("write down which database is used: %w", err)
		}
		return nil
	default:
		return fmt.Errorf("the database in %s is %s, but this installation used %s before: with another database Kubernetes would delete "+
			"the volumes of DataVolumes that are not in it; restore the old one, or, if the loss is meant, remove the key %q from Secret %s/%s",
			o.DataDir, have, used, databaseKey, o.Namespace, o.ServingCertSecret)
	}
}

// databaseID returns the name that the data directory was given when it was first used.
func databaseID(dir string) (string, error) {
	path := filepath.Join(dir, "id")
	data, err := os.ReadFile(path)
	if err == nil && len(data) > 0 {
		return strings.TrimSpace(string(data)), nil
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("read the name of the database: %w", err)
	}
	id := string(uuid.NewUUID())
	if err := os.WriteFile(path, []byte(id+"\n"), 0o600); err != nil {
		return "", fmt.Errorf("name the database: %w", err)
	}
	return id, nil
}
