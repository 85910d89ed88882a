// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
)

// apiList is a way to read all objects of a namespace.
type apiList struct {
	name string
	// read returns how many there were.
	read func(ctx context.Context, s *side) (int, error)
}

func apiLists() []apiList {
	return []apiList{
		{"list of 10,000, consistent", func(ctx context.Context, s *side) (int, error) {
			return listJSON(ctx, s, s.client)
		}},
		{"list of 10,000, of any version", func(ctx context.Context, s *side) (int, error) {
			return listJSON(ctx, s, s.client, paramVersion, "0")
		}},
		{"list of 10,000, of any version, not compressed", func(ctx context.Context, s *side) (int, error) {
			return listJSON(ctx, s, s.plain, paramVersion, "0")
		}},
		{"list of 10,000, in pages of 500", listPages},
		{"list of 10,000, metadata alone", listMetadata},
		{"watch that begins with the 10,000", watchInitial},
	}
}

// Parameters of lists and watches.
const (
	paramVersion  = "resourceVersion"
	paramContinue = "continue"
	paramWatch    = "watch"
	valueTrue     = "true"
)

// lists reads all objects in each way.
func (b *apiBench) lists(ctx context.Context, s *side, _ int) ([]measured, error) {
	var all []measured
	for _, list := range apiLists() {
		count := 0
		took, work, err := b.timed(func() (err error) {
			count, err = list.read(ctx, s)
			return err
		})
		if err == nil && count != apiObjects {
			err = fmt.Errorf("there were %d objects", count)
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", list.name, err)
		}
		all = append(all, measured{list.name, unitSecond, took}, measured{list.name + ", processors' time", unitSecond, work})
	}
	return all, nil
}

// listJSON reads one list.
func listJSON(ctx context.Context, s *side, client *apiClient, parameters ...string) (int, error) {
	content, err := client.send(ctx, call{method: http.MethodGet, path: query(s.collection(namespaceFull), parameters...)})
	return countOf(content), err
}

// listPages reads the objects as kubectl does.
func listPages(ctx context.Context, s *side) (int, error) {
	count, next := 0, ""
	for {
		content, err := s.client.send(ctx, call{
			method: http.MethodGet, path: query(s.collection(namespaceFull), "limit", "500", paramContinue, next),
		})
		if err != nil {
			return 0, err
		}
		count += countOf(content)
		if next = textOf(content, paramContinue); next == "" {
			return count, nil
		}
	}
}

// listMetadata reads the objects as the garbage collector does.
func listMetadata(ctx context.Context, s *side) (int, error) {
	content, err := s.client.send(ctx, call{
		method: http.MethodGet, path: query(s.collection(namespaceFull), paramVersion, "0"), accept: typeMetadata,
	})
	if err != nil {
		return 0, err
	}
	return countMetadata(content)
}

// countMetadata returns the number of objects in protocol buffers.
func countMetadata(content []byte) (int, error) {
	body, ok := bytes.CutPrefix(content, []byte("k8s\x00"))
	if !ok {
		return 0, errors.New("the answer is not in protocol buffers")
	}
	var envelope runtime.Unknown
	if err := envelope.Unmarshal(body); err != nil {
		return 0, fmt.Errorf("read the answer: %w", err)
	}
	var list metav1.PartialObjectMetadataList
	if err := list.Unmarshal(envelope.Raw); err != nil {
		return 0, fmt.Errorf("read the list: %w", err)
	}
	return len(list.Items), nil
}

// watchInitial reads the objects as client-go's informers do, by a watch that begins with them.
func watchInitial(ctx context.Context, s *side) (count int, err error) {
	body, err := s.client.open(ctx, call{method: http.MethodGet, path: query(s.collection(namespaceFull),
		paramWatch, valueTrue, "sendInitialEvents", valueTrue, "allowWatchBookmarks", valueTrue,
		"resourceVersionMatch", string(metav1.ResourceVersionMatchNotOlderThan))})
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, body.Close()) }()
	lines := bufio.NewReaderSize(body, 64<<10)
	for {
		line, err := lines.ReadSlice('\n')
		switch {
		case err != nil:
			return 0, fmt.Errorf("after %d objects: %w", count, err)
		case bytes.HasPrefix(line, []byte(`{"type":"ADDED"`)):
			count++
		case bytes.Contains(line, []byte(`"`+metav1.InitialEventsAnnotationKey+`":"true"`)):
			return count, nil
		default:
			return 0, fmt.Errorf("after %d objects came %s", count, line)
		}
	}
}

// countOf returns the number of objects in a list, each of which has one UID.
func countOf(list []byte) int {
	return bytes.Count(list, []byte(`"uid":"`))
}

// textOf returns the text of a field that a list has once; empty if it has none.
func textOf(list []byte, name string) string {
	_, after, ok := bytes.Cut(list, []byte(`"`+name+`":"`))
	if !ok {
		return ""
	}
	text, _, _ := bytes.Cut(after, []byte{'"'})
	return string(text)
}
