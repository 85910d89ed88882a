// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package requester

import "fmt"

// A Kind of what is cloned.
type Kind string

// Kinds of sources.
const (
	// Claim is a PersistentVolumeClaim.
	Claim Kind = "PersistentVolumeClaim"
	// Snapshot is a VolumeSnapshot.
	Snapshot Kind = "VolumeSnapshot"
	// DataSource stands for what a DataSource will point to, while it points to nothing.
	DataSource Kind = "DataSource"
)

// A Source is what somebody wants a copy of.
type Source struct {
	Kind      Kind   `json:"kind"`
	Namespace string `json:"namespace"`
	Name      string `json:"name"`
}

// A Permission is the verb create on a resource in the source's namespace.
type Permission struct {
	// Group and Version of the resource.
	Group, Version string
	// Resource and Subresource; the latter is empty for the resource itself.
	Resource, Subresource string
	// Name of the object; empty means any.
	Name string
}

// Ways returns the ways to be allowed to have a copy: the permissions of any one of them
// suffice. Who may make Pods next to a claim could read it anyway; to read a snapshot they would
// have to make a claim from it first.
func (s Source) Ways() [][]Permission {
	source := Permission{Group: "cdi.kubevirt.io", Version: "v1beta1", Resource: "datavolumes", Subresource: "source", Name: s.Name}
	if s.Kind == DataSource {
		// The name of what will be cloned is not known.
		source.Name = ""
	}
	pods := Permission{Version: "v1", Resource: "pods"}
	if s.Kind == Snapshot {
		return [][]Permission{{source}, {pods, {Version: "v1", Resource: "persistentvolumeclaims"}}}
	}
	return [][]Permission{{source}, {pods}}
}

// Refusal returns the words in which a user is refused a copy. They begin with CDI's, and tell
// nothing of the source but its namespace.
func (s Source) Refusal(username string) string {
	besides := "on pods"
	if s.Kind == Snapshot {
		besides = "on pods and persistentvolumeclaims"
	}
	return fmt.Sprintf("User %s has insufficient permissions in clone source namespace %s: create on datavolumes/source (ClusterRole cdi.kubevirt.io:clone-sourcer) or %s is needed there",
		username, s.Namespace, besides)
}
