package token

import (
	"context"
	"net/http"
	"sync"
	"time"

	"github.com/lestrrat-go/jwx/v3/jwa"
	"github.com/lestrrat-go/jwx/v3/jwk"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// Bounds of what is fetched, and when.
const (
	fetchTimeout = 5 * time.Second
	maxKeySet    = 1 << 20          // bytes
	refreshAge   = 5 * time.Minute  // older keys are fetched again, while they are still used
	maxAge       = 10 * time.Minute // older keys are used only if the issuer does not answer in time
	maxStale     = 24 * time.Hour   // older keys are not used
	patience     = time.Second      // how long a token whose key is known waits for a fetch
	minAge       = 10 * time.Second // between two fetches
	firstRetry   = time.Second      // the same, as long as there are no keys at all
)

// issuer knows the public keys that are published at a URL. It fetches them only when it is asked for one, once for
// all callers. A caller whose key is known waits no longer than patience.
type issuer struct {
	url    string
	client *http.Client
	now    func() time.Time

	mu      sync.Mutex
	keys    jwk.Set       // nil: none were fetched yet
	fetched time.Time     // when the keys were fetched
	tried   time.Time     // when the last fetch began
	failure error         // of the last fetch
	pending chan struct{} // closed when the fetch that is under way ends; nil if none is
}

// key returns the public key of an id. Without an id there must be one key only.
func (i *issuer) key(ctx context.Context, id string) (jwk.Key, error) {
	key, pending := i.look(id)
	if pending == nil {
		return key, i.refusal(key)
	}
	limit := fetchTimeout
	if key != nil {
		limit = patience
	}
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case <-pending:
		i.mu.Lock()
		key = i.find(id)
		i.mu.Unlock()
		return key, i.refusal(key)
	case <-timer.C:
	case <-ctx.Done():
	}
	if key != nil {
		return key, nil
	}
	return nil, unavailable(ctx.Err())
}

// look returns the key if it is known, and what to wait for, if there is something to be waited for. It starts a fetch
// where one is due.
func (i *issuer) look(id string) (jwk.Key, <-chan struct{}) {
	i.mu.Lock()
	defer i.mu.Unlock()
	key := i.find(id)
	age := i.now().Sub(i.fetched)
	if key != nil && age <= refreshAge {
		return key, nil
	}
	wait := minAge
	if i.keys == nil {
		wait = firstRetry
	}
	if i.pending == nil && i.now().Sub(i.tried) > wait {
		i.startFetch()
	}
	if key != nil && age <= maxAge {
		return key, nil
	}
	return key, i.pending
}

// find returns a known key that is not too old to be used. The caller holds the lock.
func (i *issuer) find(id string) jwk.Key {
	if i.now().Sub(i.fetched) > maxStale {
		return nil
	}
	return find(i.keys, id)
}

// refusal returns why there is no key.
func (i *issuer) refusal(key jwk.Key) error {
	if key != nil {
		return nil
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	switch {
	case i.failure != nil:
		return i.failure // whether the issuer publishes the key by now is not known
	case i.keys == nil:
		return unavailable(nil)
	}
	return refuse("The token is signed with a key that the issuer does not publish.", nil)
}

// startFetch fetches the keys in a goroutine of its own, which ends after fetchTimeout at the latest: the request that
// needed them may be gone before, and others wait too. The caller holds the lock.
func (i *issuer) startFetch() {
	done := make(chan struct{})
	i.pending, i.tried = done, i.now()
	go func() {
		ctx, cancel := context.WithTimeout(context.Background(), fetchTimeout)
		defer cancel()
		keys, err := jwk.Fetch(ctx, i.url, jwk.WithHTTPClient(i.client), jwk.WithMaxFetchBodySize(maxKeySet))
		i.mu.Lock()
		defer i.mu.Unlock()
		defer close(done)
		i.pending = nil
		if err != nil {
			i.failure = unavailable(err) // the keys that were there stay
			return
		}
		i.keys, i.fetched, i.failure = keys, i.tried, nil
	}()
}

func unavailable(cause error) error {
	return &bellwire.Error{
		Code: bellwire.CodeUnavailable, RetryAfter: time.Second, Err: cause,
		Message: "The keys that tokens are verified with cannot be fetched now; try again.",
	}
}

func find(keys jwk.Set, id string) jwk.Key {
	if keys == nil {
		return nil
	}
	if id != "" {
		if key, ok := keys.LookupKeyID(id); ok {
			return public(key)
		}
		return nil
	}
	if keys.Len() != 1 {
		return nil
	}
	key, _ := keys.Key(0)
	return public(key)
}

// public keeps keys out that are shared secrets, which have no business in a JWKS, or that encrypt and do not sign.
func public(key jwk.Key) jwk.Key {
	use, given := key.KeyUsage()
	if key.KeyType() == jwa.OctetSeq() || given && use != jwk.ForSignature.String() {
		return nil
	}
	return key
}
