// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package validation

import (
	"strings"
	"testing"

	"goldenimage.dev/pkg/apis/cdi"
)

func TestTrigger(t *testing.T) {
	const oneLine = "must be one line of text"
	id := func(id string) cdi.DataImportCronTriggerSpec { return cdi.DataImportCronTriggerSpec{RequestID: id} }
	reason := func(reason string) cdi.DataImportCronTriggerSpec {
		return cdi.DataImportCronTriggerSpec{Reason: reason}
	}
	for name, test := range map[string]struct {
		spec   cdi.DataImportCronTriggerSpec
		status cdi.DataImportCronTriggerStatus
		want   []fault
	}{
		"nothing is needed":               {},
		"everything that may be given":    {spec: cdi.DataImportCronTriggerSpec{RequestID: "build-42_a.B", Force: true, Reason: "Neuer Stand: §1 & <2>"}},
		"a UUID":                          {spec: id("7d444840-9dc0-11d1-b245-5ffdce74fad2")},
		"an ID of 63 characters":          {spec: id(strings.Repeat("a", 63))},
		"an ID of 64":                     {spec: id(strings.Repeat("a", 64)), want: []fault{invalid("spec.requestID", "request ID is not valid: must be no more than 63 bytes")}},
		"an ID with a blank":              {spec: id("a b"), want: []fault{invalid("spec.requestID", "request ID is not valid: "+badValue)}},
		"an ID that ends in a dash":       {spec: id("a-"), want: []fault{invalid("spec.requestID", "request ID is not valid: "+badValue)}},
		"a reason of 256 bytes":           {spec: reason(strings.Repeat("ä", 128))},
		"a reason of 257":                 {spec: reason(strings.Repeat("ä", 128) + "!"), want: []fault{invalid("spec.reason", "must be at most 256 bytes long")}},
		"a reason of two lines":           {spec: reason("a\nb"), want: []fault{invalid("spec.reason", oneLine)}},
		"a reason that rings":             {spec: reason("a\ab"), want: []fault{invalid("spec.reason", oneLine)}},
		"a reason of two lines, as typed": {spec: reason("a\u2028b"), want: []fault{invalid("spec.reason", oneLine)}},
		"a reason of two paragraphs":      {spec: reason("a\u2029b"), want: []fault{invalid("spec.reason", oneLine)}},
		"a reason that is no text":        {spec: reason("a\xff"), want: []fault{invalid("spec.reason", oneLine)}},
		"all faults are said at once": {
			spec: cdi.DataImportCronTriggerSpec{RequestID: strings.Repeat("-", 64), Reason: strings.Repeat("\n", 257)},
			want: []fault{
				invalid("spec.requestID", "request ID is not valid: must be no more than 63 bytes"),
				invalid("spec.requestID", "request ID is not valid: "+badValue),
				invalid("spec.reason", "must be at most 256 bytes long"),
				invalid("spec.reason", oneLine),
			},
		},
		"a status is ignored": {status: cdi.DataImportCronTriggerStatus{RequestID: "-"}},
	} {
		t.Run(name, func(t *testing.T) {
			compare(t, test.want, ValidateDataImportCronTrigger(&cdi.DataImportCronTrigger{Spec: test.spec, Status: test.status}))
		})
	}
}
