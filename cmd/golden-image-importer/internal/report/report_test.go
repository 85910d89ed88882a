// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package report

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	importer "goldenimage.dev/pkg/apis/importer/v1"
)

func TestProgressIsPrintedEverySecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		p := Start(&out)
		synctest.Wait()
		p.Set(importer.Progress{Fraction: 0.25, BytesRead: 1, BytesWritten: 2})
		<-time.After(2*importer.ProgressInterval + time.Millisecond) // the bubble's time
		synctest.Wait()
		p.Set(importer.Progress{Fraction: 1, BytesRead: 4, BytesWritten: 8})
		p.Stop()
		want := `{"fraction":0,"bytesRead":0,"bytesWritten":0}
{"fraction":0.25,"bytesRead":1,"bytesWritten":2}
{"fraction":0.25,"bytesRead":1,"bytesWritten":2}
{"fraction":1,"bytesRead":4,"bytesWritten":8}
`
		if diff := cmp.Diff(want, out.String()); diff != "" {
			t.Error(diff)
		}
	})
}

func TestResultFitsTheTerminationMessage(t *testing.T) {
	labels := map[string]string{}
	for i := range 60 {
		labels[fmt.Sprintf("instancetype.kubevirt.io/%02d-%s", i, strings.Repeat("x", 60))] = strings.Repeat("y", 63)
	}
	for name, r := range map[string]importer.Result{
		"a short message":              {Reason: importer.ReasonDone, Message: "done"},
		"a long message":               {Reason: importer.ReasonNoDisk, Message: strings.Repeat("word ", 2000)},
		"a message that grows in JSON": {Reason: importer.ReasonNoDisk, Message: strings.Repeat("\x01<&", 3000)},
		"a message of wide letters":    {Reason: importer.ReasonNoDisk, Message: strings.Repeat("ß漢", 3000)},
		"many labels":                  {Reason: importer.ReasonDone, Message: "done", Labels: labels},
		"too much of everything":       {Reason: importer.ReasonDone, Message: strings.Repeat("word ", 2000), Labels: labels},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "termination-log")
			if err := Write(path, r); err != nil {
				t.Fatal(err)
			}
			content, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if len(content) > importer.MaxResultBytes {
				t.Errorf("%d bytes", len(content))
			}
			var got importer.Result
			if err := json.Unmarshal(content, &got); err != nil {
				t.Fatal(err)
			}
			if got.Reason != r.Reason || !strings.HasPrefix(r.Message, strings.TrimSuffix(got.Message, "…")) {
				t.Errorf("got %+v", got)
			}
			if len(r.Labels) > 0 && len(got.Labels) < 15 {
				t.Errorf("%d labels are left", len(got.Labels))
			}
		})
	}
}
