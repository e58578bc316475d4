package api

import (
	"encoding/json"
	"net/http/httptest"
	"testing"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// checkProblem makes sure of everything that all error answers have in common.
func checkProblem(t *testing.T, w *httptest.ResponseRecorder, status int, code bellwire.Code) Problem {
	t.Helper()
	var p Problem
	if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil {
		t.Fatalf("%d is not a problem: %q", w.Code, w.Body)
	}
	if w.Code != status || p.Status != status || p.Code != code {
		t.Errorf("%d with status %d and code %q, want %d and %q: %s", w.Code, p.Status, p.Code, status, code, w.Body)
	}
	if w.Header().Get("Content-Type") != "application/problem+json" {
		t.Errorf("content type %q", w.Header().Get("Content-Type"))
	}
	if p.Title == "" || p.Detail == "" || p.Type != "/docs#error-"+string(code) {
		t.Errorf("something is missing: %s", w.Body)
	}
	for _, fault := range p.Errors {
		if fault.Message == "" {
			t.Errorf("a fault without a message: %s", w.Body)
		}
	}
	return p
}
