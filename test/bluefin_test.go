package test

import (
	"crypto/hmac"
	"crypto/sha256"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
)

// A signed request of the dialect bluefin is accepted once, even if the server is killed right after it.
func TestSignedRequestIsTakenOnceOverRestarts(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := startServer(t, dir)
	const account = "120000000007"
	var key struct{ ID, Secret string }
	s.call("POST", "/tenants", `{"id":"`+account+`"}`, nil)
	s.call("POST", "/tenants/"+account+"/keys", `{"role":"tenant","hmac":true}`, &key)
	path := "/api/v4/accounts/" + account + "/webhooks"
	header := func(nonce string) string {
		at := time.Now().Unix()
		mac := hmac.New(sha256.New, []byte(key.Secret))
		fmt.Fprintf(mac, "GET %s\n%s\n%d\n\n%x", path, nonce, at, sha256.Sum256(nil))
		id := "api_" + strings.TrimPrefix(key.ID, "key_")
		return fmt.Sprintf(`Hmac id="%s", nonce="%s", timestamp="%d", response="%x"`, id, nonce, at, mac.Sum(nil))
	}
	ask := func(s *server, authorization string) int {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), "GET", s.url+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", authorization)
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		if err := answer.Body.Close(); err != nil {
			t.Fatal(err)
		}
		return answer.StatusCode
	}
	first := header(strings.Repeat("ab", 32))
	if status := ask(s, first); status != 200 {
		t.Fatalf("the first time it was answered %d", status)
	}
	s.kill()
	s = startServer(t, dir)
	if status := ask(s, first); status != 401 {
		t.Errorf("after a restart it was answered %d again", status)
	}
	if status := ask(s, header(strings.Repeat("cd", 32))); status != 200 {
		t.Errorf("a new one was answered %d", status)
	}
}
