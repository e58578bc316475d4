package storetest

import (
	"sync"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
)

var idempotencyTests = []test{
	{name: "Idempotency/AnswersAgain", run: answerAgain},
	{name: "Idempotency/KeysBelongToTheirTenants", run: func(w *world) {
		a, b := w.tenant(), w.tenant()
		for _, tenant := range []string{"", a.ID, b.ID} {
			w.begin(w.idempotent(tenant, "k"))
		}
		w.check(w.store.DeleteTenant(w.ctx, a.ID, w.now))
		w.check(w.store.CreateTenant(w.ctx, &bellwire.Tenant{ID: a.ID, CreatedAt: w.now, UpdatedAt: w.now}))
		w.begin(w.idempotent(a.ID, "k"))
	}},
	{name: "Idempotency/ChangesOnce", run: func(w *world) {
		first := w.idempotent("", "k")
		w.begin(first)
		key := w.newKey("")
		w.check(w.store.CreateKey(bellwire.WithRequest(w.ctx, first), key))
		w.check(w.store.ForgetRequest(w.ctx, first))
		w.now = w.now.Add(bellwire.RequestLease)
		_, err := w.store.BeginRequest(w.ctx, w.idempotent("", "k"))
		w.refused(err, bellwire.CodeConflict)
	}},
	{name: "Idempotency/IsTakenOverByARepetition", run: func(w *world) {
		first := w.idempotent("", "k")
		w.begin(first)
		w.now = w.now.Add(bellwire.RequestLease - time.Microsecond)
		_, err := w.store.BeginRequest(w.ctx, w.idempotent("", "k"))
		w.refused(err, bellwire.CodeConflict)
		w.now = w.now.Add(time.Microsecond)
		second := w.idempotent("", "k")
		w.begin(second)
		key := w.newKey("")
		w.refused(w.store.CreateKey(bellwire.WithRequest(w.ctx, first), key), bellwire.CodeConflict)
		_, err = w.store.Key(w.ctx, key.ID)
		w.refused(err, bellwire.CodeNotFound)
		w.check(w.store.EndRequest(w.ctx, first, &bellwire.Answer{Status: 201, Sealed: []byte("x")}))
		w.check(w.store.ForgetRequest(w.ctx, first))
		w.check(w.store.CreateKey(bellwire.WithRequest(w.ctx, second), key))
	}},
	{name: "Idempotency/RefusedChangesDoNotCount", run: func(w *world) {
		first := w.idempotent("", "k")
		w.begin(first)
		w.refused(w.store.DeleteKey(bellwire.WithRequest(w.ctx, first), "", w.newKey("").ID), bellwire.CodeNotFound)
		w.check(w.store.ForgetRequest(w.ctx, first))
		w.begin(w.idempotent("", "k"))
	}},
	{name: "Idempotency/Ends", run: func(w *world) {
		r := w.idempotent("", "k")
		w.begin(r)
		w.check(w.store.EndRequest(w.ctx, r, &bellwire.Answer{Status: 201, Sealed: []byte("x")}))
		w.now = w.now.Add(bellwire.RequestWindow)
		other := w.idempotent("", "k")
		other.Digest[0]++
		w.begin(other)
		w.now = w.now.Add(bellwire.RequestWindow)
		w.equal("purged", w.purge(10), 1)
	}},
	{name: "Idempotency/HasABoundForEachTenant", need: thorough, run: boundRequests},
	{name: "Idempotency/BeginsOnceAmongMany", run: func(w *world) {
		var (
			group sync.WaitGroup
			mu    sync.Mutex
			begun int
		)
		for range 20 {
			r := w.idempotent("", "k")
			group.Go(func() {
				if answer, err := w.store.BeginRequest(w.ctx, r); err == nil && answer == nil {
					mu.Lock()
					begun++
					mu.Unlock()
				}
			})
		}
		group.Wait()
		w.equal("begun", begun, 1)
	}},
	{name: "Idempotency/IsThereAfterACrash", need: crashes, run: func(w *world) {
		r := w.idempotent("", "k")
		w.begin(r)
		w.check(w.store.CreateKey(bellwire.WithRequest(w.ctx, r), w.newKey("")))
		w.store = w.hooks.Crash(w.t, w.store)
		w.now = w.now.Add(bellwire.RequestLease)
		_, err := w.store.BeginRequest(w.ctx, w.idempotent("", "k"))
		w.refused(err, bellwire.CodeConflict)
	}},
}

func (w *world) idempotent(tenant, key string) *bellwire.IdempotentRequest {
	return &bellwire.IdempotentRequest{Tenant: tenant, Key: key, Digest: [32]byte{1}, Try: bellwire.NewUUID(w.now), At: w.now}
}

// begin begins a request that has no answer yet.
func (w *world) begin(r *bellwire.IdempotentRequest) {
	w.Helper()
	answer, err := w.store.BeginRequest(w.ctx, r)
	w.check(err)
	w.equal("the answer", answer, (*bellwire.Answer)(nil))
}

func answerAgain(w *world) {
	t := w.tenant()
	r := w.idempotent(t.ID, "k")
	w.begin(r)
	want := &bellwire.Answer{Status: 201, Sealed: []byte{0, 1, 2}}
	w.check(w.store.CreateEndpoint(bellwire.WithRequest(w.ctx, r), w.newEndpoint(t.ID), bellwire.ChangeNote{}))
	w.check(w.store.EndRequest(w.ctx, r, want))
	w.check(w.store.ForgetRequest(w.ctx, r))
	w.now = w.now.Add(bellwire.RequestWindow - time.Microsecond)
	got, err := w.store.BeginRequest(w.ctx, w.idempotent(t.ID, "k"))
	w.check(err)
	w.equal("the answer", got, want)
	other := w.idempotent(t.ID, "k")
	other.Digest[0]++
	_, err = w.store.BeginRequest(w.ctx, other)
	w.refused(err, bellwire.CodeConflict)
}

func boundRequests(w *world) {
	t := w.tenant()
	w.hooks.Begin(w.t, w.store, bellwire.MaxIdempotentRequests-1, w.now)
	w.begin(w.idempotent("", "last"))
	_, err := w.store.BeginRequest(w.ctx, w.idempotent("", "more"))
	w.refused(err, bellwire.CodeRateLimited)
	r := w.idempotent(t.ID, "large")
	w.begin(r)
	w.check(w.store.EndRequest(w.ctx, r, &bellwire.Answer{Status: 201, Sealed: make([]byte, bellwire.MaxAnswerBytes)}))
	_, err = w.store.BeginRequest(w.ctx, w.idempotent(t.ID, "more"))
	w.refused(err, bellwire.CodeRateLimited)
}
