package api_test

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
)

type shownKey struct {
	ID, Secret string
	ExpiresAt  *time.Time `json:"expires_at"`
	LastUsedAt *time.Time `json:"last_used_at"`
}

func (w *world) key(t *testing.T, body string) (key shownKey) {
	t.Helper()
	answer := w.call("POST", "/tenants/acme/keys", adminKey, body)
	if err := json.Unmarshal(answer.Body.Bytes(), &key); err != nil || answer.Code != 201 {
		t.Fatalf("%s: %d %s", body, answer.Code, answer.Body)
	}
	return key
}

func TestKeysExpire(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	made := w.key(t, `{"role":"tenant","expires_at":"2999-01-02T03:04:05Z"}`)
	if made.ExpiresAt == nil || made.ExpiresAt.Year() != 2999 || made.LastUsedAt != nil {
		t.Errorf("%+v", made)
	}
	if answer := w.call("GET", "/tenants/acme/endpoints", made.Secret, ""); answer.Code != 200 {
		t.Errorf("before it expires: %d %s", answer.Code, answer.Body)
	}
	w.expire(t, made.ID)
	for method, path := range map[string]string{"GET": "/tenants/acme/endpoints", "POST": "/tenants/acme/events"} {
		answer := w.call(method, path, made.Secret, "{}")
		if answer.Code != 401 || !strings.Contains(answer.Body.String(), "the API key has expired") {
			t.Errorf("%s %s: %d %s", method, path, answer.Code, answer.Body)
		}
	}
	for _, at := range []string{`"2020-01-01T00:00:00Z"`, `"soon"`} {
		w.step(t, step{method: "POST", path: "/keys", body: `{"role":"publisher","expires_at":` + at + `}`, status: 422, problem: "invalid expires_at"})
	}
}

// expire replaces a key by the same one that has expired.
func (w *world) expire(t *testing.T, id string) {
	t.Helper()
	var parsed bellwire.KeyID
	if err := parsed.UnmarshalText([]byte(id)); err != nil {
		t.Fatal(err)
	}
	key, err := w.store.Key(t.Context(), parsed)
	if err != nil {
		t.Fatal(err)
	}
	if answer := w.call("DELETE", "/tenants/acme/keys/"+id, adminKey, ""); answer.Code != 204 {
		t.Fatalf("%d %s", answer.Code, answer.Body)
	}
	key.ExpiresAt = key.CreatedAt
	if err := w.store.CreateKey(t.Context(), key); err != nil {
		t.Fatal(err)
	}
}

func TestKeysShowTheirLastUse(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	before := time.Now().Add(-time.Minute)
	made := w.key(t, `{"role":"tenant"}`)
	w.call("GET", "/tenants/acme/endpoints", made.Secret, "")
	var list struct{ Data []shownKey }
	answer := w.call("GET", "/tenants/acme/keys?limit=1", adminKey, "")
	if err := json.Unmarshal(answer.Body.Bytes(), &list); err != nil || len(list.Data) != 1 {
		t.Fatalf("%d %s", answer.Code, answer.Body)
	}
	if got := list.Data[0]; got.ID != made.ID || got.LastUsedAt == nil || got.LastUsedAt.Before(before) {
		t.Errorf("%+v", got)
	}
}

func TestKeysOfAnotherServer(t *testing.T) {
	t.Parallel()
	from, to := newWorld(t), newWorld(t)
	made := from.key(t, `{"role":"tenant"}`)
	moved := to.key(t, `{"role":"tenant","id":"`+made.ID+`","secret":"`+made.Secret+`"}`)
	if moved.ID != made.ID || moved.Secret != made.Secret {
		t.Errorf("%+v, want %+v", moved, made)
	}
	if answer := to.call("GET", "/tenants/acme/endpoints", made.Secret, ""); answer.Code != 200 {
		t.Errorf("%d %s", answer.Code, answer.Body)
	}
	other := from.key(t, `{"role":"tenant"}`)
	for problem, body := range map[string]string{
		"invalid id":     `{"role":"tenant","id":"` + other.ID + `","secret":"` + made.Secret + `"}`,
		"invalid secret": `{"role":"tenant","secret":"a secret"}`,
		"invalid role":   `{"role":"admin","secret":"` + other.Secret + `"}`,
	} {
		to.step(t, step{name: problem, method: "POST", path: "/tenants/acme/keys", body: body, status: 422, problem: problem, without: []string{"a secret"}})
	}
	to.step(t, step{method: "POST", path: "/tenants/acme/keys", body: `{"role":"tenant","secret":"` + made.Secret + `"}`, status: 409, problem: "conflict"})
}

// TestKeyIDsOfAnotherSystem are taken as its callers write them, because they send them with each request.
func TestKeyIDsOfAnotherSystem(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const digits = "0123456789abcdef0123456789abcdef"
	for given, want := range map[string]string{
		"api_" + digits:                        "key_" + digits,
		"40515057-7e8c-4ae1-b8d9-61ea3378cad5": "key_405150577e8c4ae1b8d961ea3378cad5",
	} {
		if made := w.key(t, `{"role":"tenant","id":"`+given+`"}`); made.ID != want {
			t.Errorf("%s: %+v", given, made)
		}
	}
	for _, path := range []string{"/keys", "/tenants/acme/keys"} {
		role := "tenant"
		if path == "/keys" {
			role = "publisher"
		}
		body := `{"role":"` + role + `","id":"api_` + digits[1:] + `","secret_sha256":"abc"}`
		w.step(t, step{method: "POST", path: path, body: body, status: 422, problem: "invalid id", want: `{"errors":[{"field":"id"},{"field":"secret_sha256"}]}`})
	}
}

// TestKeysOfAnotherSystem have secrets of any form, of which the server may know the hash only.
func TestKeysOfAnotherSystem(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const secret, hashed = "sk_live_0123456789abcdef~!", "the-other-secret"
	use := func(secret string, want int) {
		t.Helper()
		if answer := w.call("GET", "/tenants/acme/endpoints", secret, ""); answer.Code != want {
			t.Errorf("%s: %d %s", secret, answer.Code, answer.Body)
		}
	}
	use(secret, 401)
	made := w.key(t, `{"role":"tenant","secret":"`+secret+`"}`)
	if made.Secret != secret || made.ID == "" {
		t.Errorf("%+v", made)
	}
	use(secret, 200)
	use(secret+"x", 401)
	body := fmt.Sprintf(`{"role":"tenant","id":"key_0198c7a3f2e47d0a9b1c2d3e4f506172","secret_sha256":"%x"}`, sha256.Sum256([]byte(hashed)))
	if made := w.key(t, body); made.Secret != "" || made.ID != "key_0198c7a3f2e47d0a9b1c2d3e4f506172" {
		t.Errorf("%+v", made)
	}
	use(hashed, 200)
	for _, other := range []string{body, `{"role":"tenant-read","secret":"` + hashed + `"}`} {
		w.step(t, step{method: "POST", path: "/tenants/acme/keys", body: other, status: 409, problem: "conflict", without: []string{hashed}})
	}
	for problem, body := range map[string]string{
		"invalid secret":        `{"role":"tenant","secret":"1234567"}`,
		"invalid secret_sha256": `{"role":"tenant","secret_sha256":"abc"}`,
	} {
		w.step(t, step{name: problem, method: "POST", path: "/tenants/acme/keys", body: body, status: 422, problem: problem})
	}
	for _, body := range []string{`{"role":"tenant","hmac":true,"secret_sha256":"` + strings.Repeat("ab", 32) + `"}`, `{"role":"tenant","secret":"0123456789","secret_sha256":"` + strings.Repeat("ab", 32) + `"}`} {
		w.step(t, step{method: "POST", path: "/tenants/acme/keys", body: body, status: 422, problem: "invalid secret_sha256"})
	}
	w.step(t, step{method: "DELETE", path: "/tenants/acme/keys/" + made.ID, status: 204})
	use(secret, 401)
	again := w.key(t, `{"role":"tenant","secret":"`+secret+`"}`)
	if again.ID == made.ID {
		t.Errorf("%+v", again)
	}
	use(secret, 200)
}
