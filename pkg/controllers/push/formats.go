// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package push

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
)

const (
	// maxEvents that one body may hold.
	maxEvents = 1000
	// dockerHub is what the notifications of Docker Hub are about, without saying so.
	dockerHub = "index.docker.io"
)

var (
	errUnknown = errors.New("this is no notification that is known: accepted are the JSON of distribution (events), " +
		"Harbor (PUSH_ARTIFACT, default or CloudEvents), Quay (repository push) and Docker Hub")
	errTooMany = fmt.Errorf("the notification tells of more than %d events", maxEvents)
)

// An Event is a tag that was pushed.
type Event struct {
	// Registry is its host[:port], "" if the notification does not say.
	Registry   string
	Repository string
	Tag        string
	// Digest that the tag names now, "" if it is not told.
	Digest string
	// ID is the same when the event is told again, and no other's; "" if there is none.
	ID string
}

// envelope holds what tells the formats apart.
type envelope struct {
	Events      []json.RawMessage `json:"events"`
	Type        string            `json:"type"`
	OccurAt     int64             `json:"occur_at"`
	EventData   *harborData       `json:"event_data"`
	SpecVersion string            `json:"specversion"`
	ID          string            `json:"id"`
	Data        *harborData       `json:"data"`
	DockerURL   string            `json:"docker_url"`
	UpdatedTags json.RawMessage   `json:"updated_tags"`
	PushData    *hubPush          `json:"push_data"`
	Repository  json.RawMessage   `json:"repository"`
}

type distributionEvent struct {
	ID     string `json:"id"`
	Action string `json:"action"`
	Target struct {
		Repository string `json:"repository"`
		Tag        string `json:"tag"`
		Digest     string `json:"digest"`
		URL        string `json:"url"`
	} `json:"target"`
	Request struct {
		Host string `json:"host"`
	} `json:"request"`
}

type harborData struct {
	Resources []struct {
		Digest      string `json:"digest"`
		Tag         string `json:"tag"`
		ResourceURL string `json:"resource_url"`
	} `json:"resources"`
	Repository struct {
		FullName string `json:"repo_full_name"`
	} `json:"repository"`
}

type hubPush struct {
	Tag      string      `json:"tag"`
	PushedAt json.Number `json:"pushed_at"`
}

// Parse reads a body. It returns the pushes of tags, and how many events were something else.
func Parse(body []byte) (events []Event, ignored int, err error) {
	var e envelope
	if err := json.Unmarshal(body, &e); err != nil {
		return nil, 0, errUnknown
	}
	switch {
	case e.Events != nil:
		events, ignored, err = distribution(e.Events)
	case e.SpecVersion != "" && strings.HasPrefix(e.Type, "harbor."):
		events, ignored = harbor(e.Type == "harbor.artifact.pushed", e.Data, e.ID)
	case e.EventData != nil && e.Type != "":
		events, ignored = harbor(e.Type == "PUSH_ARTIFACT", e.EventData, strconv.FormatInt(e.OccurAt, 10))
	case e.DockerURL != "":
		events, ignored, err = quay(e)
	case e.PushData != nil:
		events, ignored, err = hub(e)
	default:
		err = errUnknown
	}
	if err == nil && len(events) > maxEvents {
		err = errTooMany
	}
	if err != nil {
		return nil, 0, err
	}
	return events, ignored, nil
}

func distribution(raw []json.RawMessage) (events []Event, ignored int, err error) {
	if len(raw) > maxEvents {
		return nil, 0, errTooMany
	}
	for _, one := range raw {
		var d distributionEvent
		if err := json.Unmarshal(one, &d); err != nil {
			return nil, 0, errUnknown
		}
		// Blobs, and manifests that are pushed by digest, have no tag.
		if d.Action != "push" || d.Target.Tag == "" || d.Target.Repository == "" {
			ignored++
			continue
		}
		host := d.Request.Host
		if at, err := url.Parse(d.Target.URL); host == "" && err == nil {
			host = at.Host
		}
		events = append(events, Event{Registry: host, Repository: d.Target.Repository, Tag: d.Target.Tag, Digest: d.Target.Digest, ID: d.ID})
	}
	return events, ignored, nil
}

func harbor(pushed bool, data *harborData, id string) (events []Event, ignored int) {
	if !pushed || data == nil {
		return nil, 1
	}
	if id == "0" { // occur_at is absent
		id = ""
	}
	for _, resource := range data.Resources {
		host, _, _ := strings.Cut(resource.ResourceURL, "/")
		if resource.Tag == "" || data.Repository.FullName == "" {
			ignored++
			continue
		}
		events = append(events, Event{
			Registry: host, Repository: data.Repository.FullName, Tag: resource.Tag, Digest: resource.Digest, ID: id,
		})
	}
	return events, ignored
}

func quay(e envelope) (events []Event, ignored int, err error) {
	if e.UpdatedTags == nil {
		return nil, 1, nil // a build, or a scan
	}
	var tags []string
	if bytes.HasPrefix(bytes.TrimSpace(e.UpdatedTags), []byte("{")) {
		// Old versions send an object whose keys are the tags.
		var named map[string]json.RawMessage
		if err := json.Unmarshal(e.UpdatedTags, &named); err != nil {
			return nil, 0, errUnknown
		}
		for tag := range named {
			tags = append(tags, tag)
		}
	} else if err := json.Unmarshal(e.UpdatedTags, &tags); err != nil {
		return nil, 0, errUnknown
	}
	host, repository, _ := strings.Cut(e.DockerURL, "/")
	for _, tag := range tags {
		// Two pushes of a tag are told in the same words: there is nothing to make an ID of.
		events = append(events, Event{Registry: host, Repository: repository, Tag: tag})
	}
	return events, 0, nil
}

func hub(e envelope) (events []Event, ignored int, err error) {
	var repository struct {
		Name string `json:"repo_name"`
	}
	if err := json.Unmarshal(e.Repository, &repository); err != nil {
		return nil, 0, errUnknown
	}
	if repository.Name == "" || e.PushData.Tag == "" {
		return nil, 1, nil
	}
	return []Event{{Registry: dockerHub, Repository: repository.Name, Tag: e.PushData.Tag, ID: e.PushData.PushedAt.String()}}, 0, nil
}
