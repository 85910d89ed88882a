// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package app

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestValidateOptions(t *testing.T) {
	tests := map[string]struct {
		change func(*Options)
		// want are the beginnings of the errors, in order.
		want []string
	}{
		"the defaults lack an importer image alone": {
			change: func(*Options) {},
			want:   []string{`--importer-image: invalid value ""`},
		},
		"a replica that only serves needs none": {
			change: func(o *Options) { o.Controllers = false },
		},
		"all mistakes are told at once": {
			change: func(o *Options) {
				o.DataDir = "relative"
				o.Namespace = "Not A Name"
				o.ImporterPullPolicy = "Sometimes"
				o.FilesystemOverhead = 1
				o.PollWorkers = 0
				o.InsecureRegistries = []string{"https://registry.example"}
			},
			want: []string{
				`--data-dir: invalid value "relative"`,
				`--namespace: invalid value "Not A Name"`,
				`--importer-image: invalid value ""`,
				`--importer-image-pull-policy: invalid value "Sometimes"`,
				`--filesystem-overhead: invalid value "1"`,
				`--poll-workers: invalid value "0"`,
				`--insecure-registries: invalid value "https://registry.example"`,
			},
		},
		"the machinery's options are checked too": {
			change: func(o *Options) {
				o.ImporterImage = "importer:1"
				o.Recommended.SecureServing.BindPort = -1
			},
			want: []string{"--secure-port -1 must be between"},
		},
		"a second replica may not have an etcd of its own": {
			change: func(o *Options) { o.ImporterImage, o.Ordinal = "importer:1", 1 },
			want:   []string{"this is replica 2: each replica would have an etcd of its own"},
		},
		"an etcd of one's own needs no directory": {
			change: func(o *Options) {
				o.ImporterImage = "importer:1"
				o.DataDir = ""
				o.Recommended.Etcd.StorageConfig.Transport.ServerList = []string{"https://etcd.example:2379"}
			},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			options := NewOptions()
			test.change(options)
			var got []string
			for i, err := range options.Validate() {
				message := err.Error()
				if i < len(test.want) && strings.HasPrefix(message, test.want[i]) {
					message = test.want[i]
				}
				got = append(got, message)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestTheEnvironmentTellsWhereTheServerRuns(t *testing.T) {
	t.Setenv("POD_NAMESPACE", "elsewhere")
	t.Setenv("POD_NAME", "server-1")
	t.Setenv("POD_UID", "1234")
	options := NewOptions()
	options.Complete()
	if options.Namespace != "elsewhere" || options.Identity != "server-1_1234" || options.Ordinal != 1 {
		t.Errorf("got namespace %q, identity %q, ordinal %d", options.Namespace, options.Identity, options.Ordinal)
	}
}
