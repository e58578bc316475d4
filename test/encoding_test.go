package test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
)

// A compressed body is answered 415 by the native API, and 400 by those of the vendors, which have no 415. It is not read as if it were
// JSON.
func TestCompressedBodies(t *testing.T) {
	t.Parallel()
	s := startServer(t, t.TempDir(), "--bluefin-basic")
	const tenant = "123456789012"
	s.call("POST", "/tenants", `{"id": "`+tenant+`"}`, nil)
	s.addType("card.created")
	var key struct{ ID, Secret string }
	s.call("POST", "/tenants/"+tenant+"/keys", `{"role": "tenant"}`, &key)

	bearer := http.Header{"Authorization": {"Bearer " + key.Secret}}
	admin := http.Header{"Authorization": {"Bearer " + adminKey}}
	privacy := http.Header{
		"Authorization":                         bearer["Authorization"],
		"Lmg-Data-Privacy-Access-Principal":     {"someone"},
		"Lmg-Data-Privacy-Access-Justification": {"a test"},
	}
	basic := http.Header{}
	request := &http.Request{Header: basic}
	request.SetBasicAuth(key.ID, key.Secret)
	event := []byte(`{"type": "card.created", "data": 1}`)
	for _, call := range []struct {
		method, path string
		header       http.Header
		want         int
	}{
		{"POST", "/api/v1/tenants/" + tenant + "/events", admin, 415},
		{"POST", "/api/v1/tenants/" + tenant + "/events/batch", admin, 415},
		{"PUT", "/api/v1/event-types/card.created", admin, 415},
		{"POST", "/api/v1/tenants/" + tenant + "/endpoints", bearer, 415},
		{"POST", "/lending/events/counterparty.merged/endpoints", bearer, 400},
		{"POST", "/api/v0.1/webhooks", http.Header{"Identity": {key.ID}, "Authorization": {key.Secret}}, 400},
		{"POST", "/webhooks", bearer, 400},
		{"POST", "/v1/webhooks", privacy, 400},
		{"POST", "/api/v4/accounts/" + tenant + "/webhooks", basic, 400},
	} {
		t.Run(call.method, func(t *testing.T) {
			for _, coding := range []string{"gzip", "BR", "identity, deflate", "nonsense"} {
				if status, body := s.sendEncoded(call.method, call.path, call.header, coding, compressed(t, event)); status != call.want || !json.Valid([]byte(body)) {
					t.Errorf("%s %s with %s answers %d, want %d: %s", call.method, call.path, coding, status, call.want, body)
				}
			}
			if status, body := s.sendEncoded(call.method, call.path, call.header, "identity", event); status == http.StatusUnsupportedMediaType || strings.Contains(body, "Content-Encoding") {
				t.Errorf("%s %s with identity answers %d: %s", call.method, call.path, status, body)
			}
		})
	}
	if status, body := s.sendEncoded("POST", "/api/v1/tenants/"+tenant+"/events", admin, "gzip", compressed(t, event)); status != 415 ||
		!strings.Contains(body, `"unsupported_encoding"`) || !strings.Contains(body, `Content-Encoding \"gzip\"`) {
		t.Errorf("%d: %s", status, body)
	}
	s.terminate()
}

// sendEncoded makes a request with a body that is said to be encoded.
func (s *server) sendEncoded(method, path string, header http.Header, coding string, body []byte) (status int, answer string) {
	s.t.Helper()
	request, err := http.NewRequestWithContext(s.t.Context(), method, s.url+path, bytes.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	request.Header = header.Clone()
	request.Header.Set("Content-Encoding", coding)
	response, err := apiClient.Do(request)
	if err != nil {
		s.t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return response.StatusCode, string(text)
}

func compressed(t *testing.T, text []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write(text); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}
