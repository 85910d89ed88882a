// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

// Package validation says what is wrong with an object of cdi.kubevirt.io.
//
// What comes in is an internal object after defaulting, on updates the stored one beside it.
// What goes out is every fault at once, each with the JSON path of its field, the message
// that clients of the Containerized Data Importer know, and what would be accepted; or
// warnings about what is legal but odd.
//
// An update is held to the rules only where it changes something: an object that was stored
// under older rules can still be labelled, and get its status written.
//
// No answer repeats a password: of a URL, all before an @ is left out, and of one of a web
// server what comes after a ?, which may be a signature. What is stored for the sake of clients
// of other servers, and not acted on, is warned of.
//
// The functions are pure: no clients, no context, no clock. What depends on other objects
// (does the DataSource exist, may this user clone) belongs to admission. Updates of metadata
// are checked by the generic registry and not again here.
package validation
