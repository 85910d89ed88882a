// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"

	"goldenimage.dev/pkg/apis/cdi/v1beta1"
)

// newTestSide returns a side that a handler serves, for the own group.
func newTestSide(t *testing.T, handler http.HandlerFunc) *side {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	s, err := newSide(&rest.Config{Host: server.URL}, v1beta1.GroupName)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestAPINeedsAKubeconfig(t *testing.T) {
	_, err := measureAPI(t.Context(), setting{})
	if err == nil || exitCode(err) != 2 || !strings.Contains(err.Error(), "-kubeconfig") {
		t.Errorf("error = %v, want one about -kubeconfig with exit code 2", err)
	}
}

func TestFiguresCompareTheMediansInTheirOrder(t *testing.T) {
	var f figures
	for _, value := range []float64{3, 1, 2} {
		f.add(sidePeer, measured{"list", unitSecond, 2 * value}, measured{"get", unitMillisecond, 8})
		f.add(sideOurs, measured{"list", unitSecond, value}, measured{"get", unitMillisecond, value})
	}
	want := []result{
		{Name: "list", Unit: unitSecond, Ours: 2, Peer: 4, PeerName: "peer", Ratio: 0.5},
		{Name: "get", Unit: unitMillisecond, Ours: 2, Peer: 8, PeerName: "peer", Ratio: 0.25},
	}
	if diff := cmp.Diff(want, f.results("peer")); diff != "" {
		t.Errorf("results (-want +got):\n%s", diff)
	}
}

func TestPercentile(t *testing.T) {
	hundred := make([]float64, 100)
	for i := range hundred {
		hundred[i] = float64(100 - i)
	}
	for name, test := range map[string]struct {
		values  []float64
		percent float64
		want    float64
	}{
		"none is zero":            {nil, 50, 0},
		"the middle of a hundred": {hundred, 50, 50},
		"all but one are below":   {hundred, 99, 99},
		"one is itself":           {[]float64{7}, 99, 7},
		"the lowest":              {hundred, 0, 1},
	} {
		t.Run(name, func(t *testing.T) {
			if got := percentile(test.values, test.percent); got != test.want {
				t.Errorf("percentile = %v, want %v", got, test.want)
			}
		})
	}
}

func TestRoundsGiveTheSidesTurns(t *testing.T) {
	b := &apiBench{setting: setting{log: &strings.Builder{}}}
	b.sides = [2]*side{{group: "ours"}, {group: "peer"}}
	var turns []string
	err := b.rounds(t.Context(), 2, func(_ context.Context, s *side, round int) ([]measured, error) {
		turns = append(turns, fmt.Sprint(s.group, round))
		return []measured{{"n", "s", float64(len(s.group) + round)}}, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"ours0", "peer0", "peer1", "ours1"}, turns); diff != "" {
		t.Errorf("turns (-want +got):\n%s", diff)
	}
	err = b.rounds(t.Context(), 1, func(context.Context, *side, int) ([]measured, error) { return nil, errors.New("broken") })
	if err == nil || !strings.Contains(err.Error(), "ours: broken") {
		t.Errorf("error = %v, want one that names the side", err)
	}
}

func TestObjectIsOfARealSizeAndDecodesIntoTheType(t *testing.T) {
	s := &side{group: v1beta1.GroupName}
	content, err := s.object("ns", "name", 4711)
	if err != nil {
		t.Fatal(err)
	}
	decoder := json.NewDecoder(strings.NewReader(string(content)))
	decoder.DisallowUnknownFields()
	var object v1beta1.VolumeImportSource
	if err := decoder.Decode(&object); err != nil {
		t.Fatal(err)
	}
	if object.Kind != apiKind || object.Name != "name" || object.Namespace != "ns" || object.Spec.Source.Registry == nil {
		t.Errorf("object = %+v", object)
	}
	if n := len(content); n < 900 || n > 1500 {
		t.Errorf("the object has %d bytes", n)
	}
}

func TestFailureTellsWhatTheServerSaid(t *testing.T) {
	s := newTestSide(t, func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusConflict)
		_ = json.NewEncoder(w).Encode(metav1.Status{Message: "it was changed"})
	})
	err := s.get(t.Context(), "ns", "name")
	want := "GET /apis/cdi.kubevirt.io/v1beta1/namespaces/ns/volumeimportsources/name: 409 it was changed"
	if err == nil || err.Error() != want {
		t.Errorf("error = %v, want %s", err, want)
	}
	if !hasCode(err, http.StatusConflict) || hasCode(err, http.StatusNotFound) || hasCode(nil, http.StatusConflict) {
		t.Error("the code is mistaken")
	}
}

func TestPatchSetsTheAnnotation(t *testing.T) {
	var body map[string]map[string]map[string]string
	var contentType string
	s := newTestSide(t, func(_ http.ResponseWriter, r *http.Request) {
		contentType = r.Header.Get("Content-Type")
		if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
			t.Error(err)
		}
	})
	if err := s.patch(t.Context(), "ns", "name", 7); err != nil {
		t.Fatal(err)
	}
	want := map[string]map[string]map[string]string{"metadata": {"annotations": {annotationChange: "7"}}}
	if diff := cmp.Diff(want, body); diff != "" || contentType != typePatch {
		t.Errorf("%s (-want +got):\n%s", contentType, diff)
	}
}

func TestDeleteAllGoesOnAfterTheServersTimeLimit(t *testing.T) {
	var asked atomic.Int64
	s := newTestSide(t, func(w http.ResponseWriter, _ *http.Request) {
		if asked.Add(1) == 1 {
			w.WriteHeader(http.StatusGatewayTimeout)
		}
	})
	if err := s.deleteAll(t.Context(), "ns"); err != nil || asked.Load() != 2 {
		t.Errorf("error = %v after %d requests, want none after 2", err, asked.Load())
	}
}

func TestInParallel(t *testing.T) {
	t.Run("each number has its turn", func(t *testing.T) {
		var seen [50]atomic.Int64
		err := inParallel(t.Context(), 4, len(seen), func(_ context.Context, i int) error {
			seen[i].Add(1)
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		for i := range seen {
			if n := seen[i].Load(); n != 1 {
				t.Errorf("%d was called %d times", i, n)
			}
		}
	})
	t.Run("an error ends it", func(t *testing.T) {
		broken := errors.New("broken")
		err := inParallel(t.Context(), 2, 1000, func(ctx context.Context, i int) error {
			if i == 0 {
				return broken
			}
			<-ctx.Done()
			return ctx.Err()
		})
		if !errors.Is(err, broken) {
			t.Errorf("error = %v, want the first", err)
		}
	})
}

func TestEventually(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tries := 0
		err := eventually(t.Context(), "the third", func(context.Context) (bool, error) {
			tries++
			return tries == 3, nil
		})
		if err != nil || tries != 3 {
			t.Errorf("error = %v after %d tries", err, tries)
		}
		err = eventually(t.Context(), "what never comes", func(context.Context) (bool, error) { return false, nil })
		if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "what never comes") {
			t.Errorf("error = %v, want one that tells what did not come", err)
		}
		broken := errors.New("broken")
		if err := eventually(t.Context(), "it", func(context.Context) (bool, error) { return false, broken }); !errors.Is(err, broken) {
			t.Errorf("error = %v, want that of the condition", err)
		}
	})
}
