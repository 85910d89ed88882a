// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

// Package session reads and writes the scripts of the directory above: shell sessions of a
// Kubernetes user, with what kubectl is expected to print. Package e2e runs them on the
// local cluster.
//
// A script is a text file:
//
//	# As edit: a sentence that says what the session is about
//
//	# A comment.
//	$ kubectl apply -f - <<EOF
//	…
//	EOF
//	datasource.cdi.kubevirt.io/fedora created
//
//	view! kubectl delete das fedora
//	Error from server (Forbidden): …
//
// The first line names the user: cluster-admin, or one who has one of the cluster's roles
// admin, edit and view in the script's own namespace, which is also the default of kubectl.
// It is called after the file. A command follows a prompt and goes to bash as it stands;
// the prompt "$" says that it succeeds, "!" that it does not. Before the prompt another
// user may be named. What follows, up to the next prompt or comment, is what the command
// prints, on both of its streams. Files of the directory manifests are at hand.
//
// What differs from run to run is replaced before it is compared: see [Normalise]. Package
// e2e rewrites the expected output when its tests are run with -update.
//
// In comes text, out goes text: nothing here runs a command or knows the cluster.
package session
