package service_test

import (
	"strings"
	"testing"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// An answer that no key opens any more is lost: if the caller were told to try again, it would do so for a day.
func TestAnswersThatDoNotOpen(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	now := time.Now()
	r := &bellwire.IdempotentRequest{Key: "k", Digest: [32]byte{1}, Try: bellwire.NewUUID(now), At: now}
	if _, err := e.store.BeginRequest(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	if err := e.store.EndRequest(t.Context(), r, &bellwire.Answer{Status: 201, Sealed: []byte("sealed with another keyset")}); err != nil {
		t.Fatal(err)
	}
	_, _, err := e.BeginRequest(t.Context(), admin, r.Key, r.Digest)
	if bellwire.CodeOf(err) != bellwire.CodeConflict || !strings.Contains(err.Error(), "its answer was lost") {
		t.Errorf("the request is repeated: %v", err)
	}
}
