// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package validation

import (
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation/field"

	"goldenimage.dev/pkg/apis/cdi"
)

// validateTLSProfile checks that a profile has a type that exists, and no member of another.
func validateTLSProfile(profile *cdi.TLSSecurityProfile, path *field.Path) field.ErrorList {
	if profile == nil {
		return nil
	}
	types := []cdi.TLSProfileType{
		cdi.TLSProfileOldType, cdi.TLSProfileIntermediateType, cdi.TLSProfileModernType, cdi.TLSProfileCustomType,
	}
	var errs field.ErrorList
	if profile.Type == "" {
		errs = append(errs, field.Required(path.Child("type"), "give one of "+join(types)))
	} else {
		errs = append(errs, oneOf(&profile.Type, path.Child("type"), "Illegal type", types...)...)
	}
	for kind, given := range []bool{profile.Old != nil, profile.Intermediate != nil, profile.Modern != nil, profile.Custom != nil} {
		if given && slices.Contains(types, profile.Type) && types[kind] != profile.Type {
			errs = append(errs, field.Forbidden(path.Child(strings.ToLower(string(types[kind]))), "the type is "+string(profile.Type)+": leave it out, or give the type "+string(types[kind])))
		}
	}
	custom := path.Child("custom")
	if profile.Type == cdi.TLSProfileCustomType && profile.Custom == nil {
		errs = append(errs, field.Required(custom, "the type is Custom: give ciphers and minTLSVersion"))
	}
	if profile.Custom != nil {
		errs = append(errs, validateCustomTLS(&profile.Custom.TLSProfileSpec, custom)...)
	}
	return errs
}

func validateCustomTLS(spec *cdi.TLSProfileSpec, path *field.Path) field.ErrorList {
	versions := []cdi.TLSProtocolVersion{cdi.VersionTLS10, cdi.VersionTLS11, cdi.VersionTLS12, cdi.VersionTLS13}
	var errs field.ErrorList
	// Those of TLS 1.3 cannot be chosen.
	if len(spec.Ciphers) == 0 && spec.MinTLSVersion != cdi.VersionTLS13 {
		errs = append(errs, field.Required(path.Child("ciphers"), "give the ciphers by the names of OpenSSL, such as ECDHE-RSA-AES128-GCM-SHA256"))
	}
	for i, cipher := range spec.Ciphers {
		if cipher == "" {
			errs = append(errs, field.Required(path.Child("ciphers").Index(i), "give the name of a cipher"))
		}
	}
	if spec.MinTLSVersion == "" {
		return append(errs, field.Required(path.Child("minTLSVersion"), "give one of "+join(versions)))
	}
	return append(errs, oneOf(&spec.MinTLSVersion, path.Child("minTLSVersion"), "Illegal version", versions...)...)
}
