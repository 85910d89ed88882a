// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

// Package clone decides at the request who may have the content of a volume in another
// namespace. In comes a request with its user; out goes a refusal, or the object with a note of
// who asked.
//
//   - A DataVolume that names a claim or snapshot in another namespace, or a DataSource that
//     leads to one, is refused unless its user may clone there (requester.Source.Ways).
//   - On a DataVolume that is let in, the annotation storage.clone.requester says who asked and
//     what they were allowed then. What is cloned is settled later by the volume controller: a
//     DataSource may have been pointed elsewhere by then. The controller takes what is noted as
//     allowed for allowed, and asks for everything else anew, as the user who is noted.
//     DataVolumes that clone nothing, or can clone from their own namespace only, have no note.
//   - A DataImportCron with a claim in another namespace is refused unless its ServiceAccount may
//     clone there. The note on the DataVolumes that are made for it names that ServiceAccount.
//
// A DataSource may be pointed anywhere: it gives nobody a permission.
//
// # Why the note cannot be forged
//
// This plugin owns the annotation. On create it puts its own there, or none; on update, the old
// one; whatever the request said. Only the server itself may write it, by its loopback client,
// for the DataVolumes of DataImportCrons. /status writes no annotations. There is therefore no
// signature and no key to keep. It follows that the server must not run without the plugin, and
// it does not start if a flag disables it. The strategy's list of guarded annotations would
// not do: it takes effect after mutating admission and would drop what was noted here.
//
// The plugin comes last in the order of those that change objects, so it sees what is stored.
// Were something changed after it nevertheless, then what is cloned would not be what is noted,
// and be asked for by the controller.
//
// The note holds a name, groups and what else the authenticator said of the user, but no token:
// it is of no use to authenticate with. Everybody who may read the DataVolume can read it.
//
// The package asks the authorizer that the server has, reads DataSources, and writes nothing
// but the object of the request.
package clone
