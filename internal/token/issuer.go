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

// Bounds on fetching keys and on their use.
const (
	fetchTimeout = 5 * time.Second
	maxKeySet    = 1 << 20          // bytes
	refreshAge   = 5 * time.Minute  // age from which keys are fetched again in the background
	maxAge       = 10 * time.Minute // age from which a token waits for the fetch
	maxStale     = 24 * time.Hour   // age from which keys are not used
	patience     = time.Second      // how long a token with a known key waits for a fetch
	minAge       = 10 * time.Second // between two fetches
	firstRetry   = time.Second      // between two fetches before the first success
)

// issuer caches the public keys that are published at a URL. It fetches them on demand, once for all callers that wait.
type issuer struct {
	url    string
	client *http.Client
	now    func() time.Time

	mu      sync.Mutex
	keys    jwk.Set       // nil before the first success
	fetched time.Time     // start of the fetch that returned keys
	tried   time.Time     // start of the last fetch
	failure error         // of the last fetch
	pending chan struct{} // closed when the current fetch ends; nil if there is none
}

// key returns the public key with the given id. Without an id, it returns the only key there is.
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

// look returns the key if it is known, and the fetch to wait for, nil if there is none. It starts a fetch if one is due.
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

// find returns a key that is known and not too old. The caller holds mu.
func (i *issuer) find(id string) jwk.Key {
	if i.now().Sub(i.fetched) > maxStale {
		return nil
	}
	return find(i.keys, id)
}

// refusal returns nil if there is a key, and otherwise why not.
func (i *issuer) refusal(key jwk.Key) error {
	if key != nil {
		return nil
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	switch {
	case i.failure != nil:
		return i.failure // the issuer may have published the key since the last success
	case i.keys == nil:
		return unavailable(nil)
	}
	return refuse("the token is signed with an unknown key", nil)
}

// startFetch fetches the keys in a goroutine, which ends within fetchTimeout. It does not use the context of a request,
// because other requests wait for the same fetch. The caller holds mu.
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
			i.failure = unavailable(err) // the previous keys stay in use
			return
		}
		i.keys, i.fetched, i.failure = keys, i.tried, nil
	}()
}

func unavailable(cause error) error {
	return &bellwire.Error{
		Code: bellwire.CodeUnavailable, RetryAfter: time.Second, Err: cause,
		Message: "the keys that verify tokens cannot be fetched; try again",
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

// public returns the key if it can verify a signature. It returns nil for shared secrets, which do not belong in a JWKS, and
// for keys that are for encryption.
func public(key jwk.Key) jwk.Key {
	use, given := key.KeyUsage()
	if key.KeyType() == jwa.OctetSeq() || given && use != jwk.ForSignature.String() {
		return nil
	}
	return key
}
