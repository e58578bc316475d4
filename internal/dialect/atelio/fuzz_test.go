package atelio

import (
	"strings"
	"testing"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// FuzzInput checks that a body is either refused or read as the subscription that it is.
func FuzzInput(f *testing.F) {
	for _, body := range []string{
		`{"events":["card.created"],"url":"https://hostname.com/webhook/route","description":"d","version":"0.1","status":"STATUS_ENABLED"}`,
		`{"events":["card*"],"status":"STATUS_DISABLED"}`, `{"url":null}`, `{"events":[null]}`, `{}`, `null`, `[]`, ``,
	} {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		in, err := parse(body)
		if err != nil {
			if code := bellwire.CodeOf(err); code != bellwire.CodeInvalid && code != bellwire.CodeMalformed {
				t.Errorf("%q: %v", body, err)
			}
			return
		}
		out, err := in.creation()
		if complete := in.URL.Given && in.Events.Given; complete != (err == nil) {
			t.Errorf("%q: %v", body, err)
		}
		if err == nil && (out.URL == nil || len(*out.Events) == 0) || in.empty() && in.change(statusEnabled).URL != nil {
			t.Errorf("%q is taken for %+v", body, out)
		}
	})
}

// FuzzCredential checks that the key is a part of the header, unchanged.
func FuzzCredential(f *testing.F) {
	for _, header := range []string{"bwk_key", "Bearer bwk_key", "bearer  x", "Bearer", "Basic x", " ", ""} {
		f.Add(header)
	}
	f.Fuzz(func(t *testing.T, header string) {
		key := credential(header)
		if !strings.Contains(header, key) || key != header && !strings.EqualFold(header[:len("Bearer ")], "Bearer ") {
			t.Errorf("%q has the key %q", header, key)
		}
	})
}
