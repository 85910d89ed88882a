// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package validation

import (
	"testing"

	"k8s.io/apimachinery/pkg/util/validation/field"

	"goldenimage.dev/pkg/apis/cdi"
)

func TestValidateTLSProfile(t *testing.T) {
	custom := func(version cdi.TLSProtocolVersion, ciphers ...string) *cdi.CustomTLSProfile {
		return &cdi.CustomTLSProfile{TLSProfileSpec: cdi.TLSProfileSpec{Ciphers: ciphers, MinTLSVersion: version}}
	}
	const (
		cipher  = "ECDHE-RSA-AES128-GCM-SHA256"
		ciphers = "give the ciphers by the names of OpenSSL, such as ECDHE-RSA-AES128-GCM-SHA256"
	)
	for name, test := range map[string]struct {
		profile cdi.TLSSecurityProfile
		want    []fault
	}{
		"a type alone is valid":           {cdi.TLSSecurityProfile{Type: cdi.TLSProfileOldType}, nil},
		"a type and its member are valid": {cdi.TLSSecurityProfile{Type: cdi.TLSProfileIntermediateType, Intermediate: &cdi.IntermediateTLSProfile{}}, nil},
		"a custom one is valid":           {cdi.TLSSecurityProfile{Type: cdi.TLSProfileCustomType, Custom: custom(cdi.VersionTLS12, cipher)}, nil},
		"TLS 1.3 needs no ciphers":        {cdi.TLSSecurityProfile{Type: cdi.TLSProfileCustomType, Custom: custom(cdi.VersionTLS13)}, nil},
		"the type is missing":             {cdi.TLSSecurityProfile{Old: &cdi.OldTLSProfile{}}, []fault{required("tls.type", "give one of Old, Intermediate, Modern, Custom")}},
		"the type is unknown":             {cdi.TLSSecurityProfile{Type: "modern"}, []fault{unsupported("tls.type", "Illegal type: accepted are Old, Intermediate, Modern, Custom")}},
		"members of other types": {cdi.TLSSecurityProfile{Type: cdi.TLSProfileModernType, Old: &cdi.OldTLSProfile{}, Intermediate: &cdi.IntermediateTLSProfile{}, Custom: custom(cdi.VersionTLS12, cipher)}, []fault{
			forbidden("tls.old", "the type is Modern: leave it out, or give the type Old"),
			forbidden("tls.intermediate", "the type is Modern: leave it out, or give the type Intermediate"),
			forbidden("tls.custom", "the type is Modern: leave it out, or give the type Custom"),
		}},
		"modern beside old":                 {cdi.TLSSecurityProfile{Type: cdi.TLSProfileOldType, Modern: &cdi.ModernTLSProfile{}}, []fault{forbidden("tls.modern", "the type is Old: leave it out, or give the type Modern")}},
		"a custom one without its member":   {cdi.TLSSecurityProfile{Type: cdi.TLSProfileCustomType}, []fault{required("tls.custom", "the type is Custom: give ciphers and minTLSVersion")}},
		"a custom one that is empty":        {cdi.TLSSecurityProfile{Type: cdi.TLSProfileCustomType, Custom: custom("")}, []fault{required("tls.custom.ciphers", ciphers), required("tls.custom.minTLSVersion", "give one of VersionTLS10, VersionTLS11, VersionTLS12, VersionTLS13")}},
		"a custom one of TLS 1.2 no cipher": {cdi.TLSSecurityProfile{Type: cdi.TLSProfileCustomType, Custom: custom(cdi.VersionTLS12)}, []fault{required("tls.custom.ciphers", ciphers)}},
		"a cipher without a name": {cdi.TLSSecurityProfile{Type: cdi.TLSProfileCustomType, Custom: custom("TLS12", cipher, "")}, []fault{
			required("tls.custom.ciphers[1]", "give the name of a cipher"),
			unsupported("tls.custom.minTLSVersion", "Illegal version: accepted are VersionTLS10, VersionTLS11, VersionTLS12, VersionTLS13"),
		}},
	} {
		t.Run(name, func(t *testing.T) {
			compare(t, test.want, validateTLSProfile(&test.profile, field.NewPath("tls")))
		})
	}
	compare(t, nil, validateTLSProfile(nil, field.NewPath("tls")))
}
