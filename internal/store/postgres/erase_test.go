package postgres

import (
	"testing"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// TestErasureOfEventsPublishedInside: an event that waits to be matched cannot be erased yet. Once it is erased, the problem that it
// had does not quote its data, and its id stays taken.
func TestErasureOfEventsPublishedInside(t *testing.T) {
	t.Parallel()
	s := newInbox(t)
	p := newPlatform(t, s)
	id := p.published(p, "acme", "order.paid", `"secret"`, "k")
	by := bellwire.Erasure{At: bellwire.StoredTime(time.Now())}
	if _, err := s.EraseEvent(t.Context(), "acme", id, by); bellwire.CodeOf(err) != bellwire.CodeConflict {
		t.Fatalf("before it is matched: %v", err)
	}
	waiting := unmatched(t, s)
	waiting[0].Event.Problem = `data must be a number, but is "secret"`
	append := matched(waiting, "ep")
	append.Events[0].Deliveries = nil
	check(t, appendOne(t, s, append).Err)
	_, err := s.EraseEvent(t.Context(), "acme", id, by)
	check(t, err)
	e, err := s.Event(t.Context(), "acme", id)
	check(t, err)
	if len(e.Data) > 0 || e.Problem != bellwire.ProblemErased || e.Erased == nil {
		t.Errorf("%+v", e)
	}
	if again := p.published(p, "acme", "order.paid", `"another"`, "k"); again != id {
		t.Errorf("published again, it is %s", again)
	}
}
