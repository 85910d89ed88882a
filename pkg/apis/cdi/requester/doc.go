// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

// Package requester says how a DataVolume remembers who asked for it: the annotation
// storage.clone.requester, a CloneRequester in JSON. The server writes it when the DataVolume
// is admitted, and reads it when it is settled what is cloned, which may be much later and of
// something else than at first.
//
// It has also the rules that both ask by: which permissions let somebody have a copy of what
// lies in another namespace, and the words in which it is refused.
//
// It decides nothing: in come names, out go text and permissions to ask for. It imports the
// standard library alone, since both the registry and the controllers import it.
package requester
