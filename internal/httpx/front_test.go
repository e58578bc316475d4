package httpx_test

import (
	"bytes"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/httpx"
)

// newFront returns a front whose errors are answered 400 with "code message", and its log.
func newFront() (*httpx.Front, *bytes.Buffer) {
	log := new(bytes.Buffer)
	front := httpx.NewFront(slog.New(slog.NewTextHandler(log, nil)), func(w http.ResponseWriter, _ *http.Request, err *bellwire.Error) {
		w.WriteHeader(400)
		_, _ = io.WriteString(w, string(err.Code)+" "+err.Message)
	})
	front.Handle("GET /ok", func(w http.ResponseWriter, _ *http.Request) error {
		return httpx.WriteJSON(w, 201, struct {
			Z string `json:"z"`
			A int    `json:"a"`
		}{"<&>", 1})
	})
	front.Handle("POST /in", func(_ http.ResponseWriter, r *http.Request) error {
		return httpx.DecodeJSON(r, httpx.MaxSmallBody, new(struct{}))
	})
	front.Handle("GET /busy", func(http.ResponseWriter, *http.Request) error {
		return &bellwire.Error{Code: bellwire.CodeUnavailable, Message: "the database /x is busy", RetryAfter: 3 * time.Second}
	})
	front.Handle("GET /full", func(http.ResponseWriter, *http.Request) error {
		return bellwire.Errorf(bellwire.CodeNoSpace, "the database /x is full")
	})
	front.Handle("GET /broken", func(http.ResponseWriter, *http.Request) error { return errors.New("hunter2") })
	front.Handle("GET /panic", func(http.ResponseWriter, *http.Request) error { panic("hunter2") })
	return front, log
}

func TestFrontAnswersEveryErrorInOneShape(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		do, body, want string
		header         string
		logged         bool
	}{
		{do: "GET /ok", want: `{"z":"<&>","a":1}`, header: "Content-Type: application/json"},
		{do: "POST /in", body: "{", want: "malformed the body is not JSON: unexpected end in line 1, column 2"},
		{do: "POST /in", body: strings.Repeat(" ", httpx.MaxSmallBody+1), want: "too_large the body must have at most 65,536 bytes"},
		{do: "GET /none", want: "not_found path /none does not exist"},
		{do: "GET /%FF%20", want: "not_found path /%FF%20 does not exist"},
		{do: "PUT /in", want: "method_not_allowed method PUT is not allowed for this path; use POST", header: "Allow: POST"},
		{do: "GET /busy", want: "unavailable the service is temporarily unavailable; try again later", header: "Retry-After: 3", logged: true},
		{do: "GET /full", want: "no_space the service is temporarily unavailable; try again later", logged: true},
		{do: "GET /broken", want: "internal an internal error occurred; report it with the id of the request", logged: true},
		{do: "GET /panic", want: "internal an internal error occurred; report it with the id of the request", logged: true},
	} {
		t.Run(c.do, func(t *testing.T) {
			front, log := newFront()
			method, path, _ := strings.Cut(c.do, " ")
			answer := httptest.NewRecorder()
			front.ServeHTTP(answer, httptest.NewRequest(method, path, strings.NewReader(c.body)))
			if got := answer.Body.String(); got != c.want {
				t.Errorf("%s: %s", c.do, got)
			}
			if name, value, ok := strings.Cut(c.header, ": "); ok && answer.Header().Get(name) != value {
				t.Errorf("%s: %v", c.do, answer.Header())
			}
			if logged := log.Len() > 0; logged != c.logged {
				t.Errorf("%s: logged %s", c.do, log)
			}
		})
	}
}

// TestWriteJSONWritesInvalidUTF8: errors repeat client input that may not be UTF-8, and must not end as an empty 200.
func TestWriteJSONWritesInvalidUTF8(t *testing.T) {
	t.Parallel()
	answer := httptest.NewRecorder()
	if err := httpx.WriteJSON(answer, 404, map[string]string{"message": "no \xff"}); err != nil {
		t.Fatal(err)
	}
	if got := answer.Body.String(); answer.Code != 404 || got != "{\"message\":\"no \uFFFD\"}" {
		t.Errorf("%d %q", answer.Code, got)
	}
}

func TestDispatcherByTwoSegments(t *testing.T) {
	t.Parallel()
	text := func(name string) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, name) })
	}
	d := httpx.NewDispatcher(text("fallback"))
	d.Mount(text("native"), "api")
	d.Mount(text("v4"), "api/v4")
	d.Mount(text("lemon"), "v1")
	d.Mount(text("root"), "")
	d.MountSecond(text("events"), "events")
	for path, want := range map[string]string{
		"/api/v1/x": "native", "/api": "native", "/api/": "native", "/api/v4": "v4", "/api/v4/accounts": "v4", "/api/v40": "native",
		"/api/events": "native", "/v1/events": "lemon", "/group/events": "events", "/group/events/x": "events", "/group/event": "fallback",
		"/": "root", "//events": "root", "/events": "fallback",
	} {
		t.Run(path, func(t *testing.T) {
			answer := httptest.NewRecorder()
			d.ServeHTTP(answer, httptest.NewRequest("GET", "http://x"+path, nil))
			if got := answer.Body.String(); got != want {
				t.Errorf("%s: %s, want %s", path, got, want)
			}
		})
	}
	for _, again := range []func(){func() { d.Mount(text("x"), "api/v4") }, func() { d.MountSecond(text("x"), "events") }} {
		func() {
			defer func() {
				if recover() == nil {
					t.Error("a place was taken twice")
				}
			}()
			again()
		}()
	}
}

func TestMembersTellHowTheyDoNotFit(t *testing.T) {
	t.Parallel()
	type in struct {
		URL    httpx.Optional[string]   `json:"url"`
		Events httpx.Optional[[]string] `json:"events"`
	}
	for _, c := range []struct {
		body  string
		kind  error
		field string
	}{
		{`{"url":"x","events":[]}`, nil, ""},
		{`{"url":null}`, httpx.ErrNull, "url"},
		{`{"url":7}`, httpx.ErrType, "url"},
		{`{"events":["a",7]}`, httpx.ErrType, "events[1]"},
		{`{"url":"x","url":"y"}`, httpx.ErrDuplicate, "url"},
		{`{"uri":"x"}`, httpx.ErrUnknown, "uri"},
		{`{"URL":"x"}`, httpx.ErrUnknown, "URL"},
	} {
		t.Run(c.body, func(t *testing.T) {
			var v in
			err := httpx.ParseJSON([]byte(c.body), &v)
			var known *bellwire.Error
			if !errors.Is(err, c.kind) || errors.As(err, &known) && (known.Field != c.field || known.Code != bellwire.CodeInvalid) {
				t.Errorf("%s: %v", c.body, err)
			}
		})
	}
	var v in
	if err := httpx.ParseJSON([]byte(`{"URL":"x"}`), &v, json.MatchCaseInsensitiveNames(true)); err != nil || v.URL.Value != "x" || !v.URL.Given {
		t.Errorf("%+v, %v", v, err)
	}
	if v.Events.Pointer() != nil || *v.URL.Pointer() != "x" {
		t.Error("a field that was left out is there")
	}
	if err := httpx.Require("events", v.Events.Given); !errors.Is(err, httpx.ErrMissing) {
		t.Errorf("%v", err)
	}
}
