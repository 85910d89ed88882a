// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package push

import (
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"strings"

	"k8s.io/klog/v2"

	"goldenimage.dev/pkg/apis/cdi/v1beta1"
)

const (
	// Path that notifications are posted to.
	Path = "/registry-events"
	// maxBody of a request, in bytes.
	maxBody = 1 << 20
)

// answer is what a sender is told: it is no user of the cluster, and learns of no names.
type answer struct {
	Received  int `json:"received"`
	Matched   int `json:"matched"`
	Triggered int `json:"triggered"`
	Ignored   int `json:"ignored"`
}

// A refusal is an answer that is not a success.
type refusal struct {
	code            int
	result, message string
}

// ServeHTTP answers one notification.
func (r *Receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	who, reply, refused := r.serve(w, req)
	if refused != nil {
		r.metrics.count(who, refused.result)
		switch refused.code {
		case http.StatusServiceUnavailable, http.StatusTooManyRequests:
			w.Header().Set("Retry-After", "5")
		case http.StatusMethodNotAllowed:
			w.Header().Set("Allow", http.MethodPost)
		}
		http.Error(w, refused.message, refused.code)
		return
	}
	code, result := http.StatusAccepted, resultAccepted
	if reply.Triggered == 0 {
		code, result = http.StatusOK, resultIgnored
	}
	r.metrics.count(who, result)
	klog.FromContext(req.Context()).V(2).Info("Registry told of pushes", "sender", who,
		"received", reply.Received, "matched", reply.Matched, "triggered", reply.Triggered, "ignored", reply.Ignored)
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(reply) // The sender is gone if it fails.
}

func (r *Receiver) serve(w http.ResponseWriter, req *http.Request) (who string, reply answer, refused *refusal) {
	switch {
	case req.URL.Path != Path:
		return nobody, reply, &refusal{http.StatusNotFound, resultMalformed, "notifications are posted to " + Path}
	case req.Method != http.MethodPost:
		return nobody, reply, &refusal{http.StatusMethodNotAllowed, resultMalformed, "notifications are posted"}
	}
	who, body, refused := r.admit(w, req)
	if refused != nil {
		return who, reply, refused
	}
	media, _, err := mime.ParseMediaType(req.Header.Get("Content-Type"))
	if err != nil || media != "application/json" && !strings.HasSuffix(media, "+json") {
		return who, reply, &refusal{http.StatusUnsupportedMediaType, resultMalformed, "the Content-Type must be JSON"}
	}
	events, ignored, err := Parse(body)
	if err != nil {
		return who, reply, &refusal{http.StatusBadRequest, resultMalformed, err.Error()}
	}
	if !r.synced() {
		return who, reply, &refusal{http.StatusServiceUnavailable, resultBusy, "the server is starting"}
	}
	reply = answer{Received: len(events) + ignored, Ignored: ignored}
	jobs := r.match(who, req.URL.Query().Get("registry"), events, &reply)
	if !r.enqueue(jobs) {
		return who, reply, &refusal{http.StatusServiceUnavailable, resultBusy, "too many polls wait already"}
	}
	reply.Triggered = len(jobs)
	return who, reply, nil
}

// admit returns who sent a request, and its body.
func (r *Receiver) admit(w http.ResponseWriter, req *http.Request) (who string, body []byte, refused *refusal) {
	all, err := r.senders.list(req.Context())
	if err != nil {
		return nobody, nil, &refusal{http.StatusServiceUnavailable, resultBusy, "senders cannot be told apart at the moment"}
	}
	who, known, places := nobody, false, r.signed
	if !signed(req) {
		if who, known = byToken(all, req); !known {
			return nobody, nil, r.stranger()
		}
		places = r.open
	}
	select {
	case places <- struct{}{}:
		defer func() { <-places }()
	default:
		return who, nil, &refusal{http.StatusServiceUnavailable, resultBusy, "too many notifications are being read"}
	}
	body, err = io.ReadAll(http.MaxBytesReader(w, req.Body, maxBody))
	if large := (*http.MaxBytesError)(nil); errors.As(err, &large) {
		return who, nil, &refusal{http.StatusRequestEntityTooLarge, resultMalformed, "the notification is larger than 1 MiB"}
	} else if err != nil {
		return who, nil, &refusal{http.StatusBadRequest, resultMalformed, "the notification could not be read"}
	}
	if !known {
		if who, known = bySignature(all, req, body); !known {
			return nobody, nil, r.stranger()
		}
	}
	return who, body, nil
}

// stranger refuses a request whose sender is not known.
func (r *Receiver) stranger() *refusal {
	if !r.failures.TryAccept() {
		return &refusal{http.StatusTooManyRequests, resultLimited, "too many requests without a token that is known"}
	}
	return &refusal{http.StatusUnauthorized, resultUnauthorized, "a token or signature that is known is needed"}
}

// match finds the crons to trigger, each once however many events are about it.
func (r *Receiver) match(who, registry string, events []Event, reply *answer) []job {
	var jobs []job
	seen := map[string]bool{}
	for _, e := range events {
		if registry != "" {
			e.Registry = registry
		}
		found, err := r.crons.ByIndex(byTag, indexKey(e.Registry, e.Repository, e.Tag))
		if err != nil || len(found) == 0 {
			reply.Ignored++
			continue
		}
		for _, obj := range found {
			cron, ok := obj.(*v1beta1.DataImportCron)
			key := ""
			if ok {
				key = cron.Namespace + "/" + cron.Name
			}
			if !ok || seen[key] {
				continue
			}
			reply.Matched++
			if current(cron, e.Digest) {
				reply.Ignored++
				continue
			}
			seen[key] = true
			jobs = append(jobs, job{cron.Namespace, cron.Name, requestID(who, e), canonical(e.Registry), who})
		}
	}
	return jobs
}
