package httpx_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/httpx"
	"github.com/bellwire/bellwire/internal/limits"
)

func TestReadBody(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 200<<10)
	tests := []struct {
		name   string
		body   io.Reader
		length int64
		limit  int64
		want   string
		code   bellwire.Code
	}{
		{"empty", strings.NewReader(""), 0, 10, "", ""},
		{"short", strings.NewReader("hello"), 5, 10, "hello", ""},
		{"exactly the limit", strings.NewReader("hello"), 5, 5, "hello", ""},
		{"announced over the limit", strings.NewReader("hello"), 6, 5, "", bellwire.CodeTooLarge},
		{"chunked at the limit", strings.NewReader("hello"), -1, 5, "hello", ""},
		{"chunked over the limit", strings.NewReader("hello!"), -1, 5, "", bellwire.CodeTooLarge},
		{"long", strings.NewReader(long), int64(len(long)), 1 << 20, long, ""},
		{"long and chunked", iotest.HalfReader(strings.NewReader(long)), -1, 1 << 20, long, ""},
		{"byte by byte", iotest.OneByteReader(strings.NewReader("hello")), 5, 10, "hello", ""},
		{"end with the last byte", iotest.DataErrReader(strings.NewReader("hello")), 5, 10, "hello", ""},
		{"broken off", iotest.ErrReader(io.ErrUnexpectedEOF), 5, 10, "", bellwire.CodeCanceled},
		{"too slow", iotest.ErrReader(os.ErrDeadlineExceeded), 5, 10, "", bellwire.CodeCanceled},
		{"broken encoding", iotest.ErrReader(errors.New("invalid byte in chunk length")), -1, 10, "", bellwire.CodeMalformed},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			r := httptest.NewRequest("POST", "/", nil)
			r.Body, r.ContentLength = io.NopCloser(test.body), test.length
			got, err := httpx.ReadBody(r, test.limit)
			if bellwire.CodeOf(err) != test.code {
				t.Fatalf("code %q, want %q (%v)", bellwire.CodeOf(err), test.code, err)
			}
			if string(got) != test.want {
				t.Errorf("%d bytes, want %d", len(got), len(test.want))
			}
		})
	}
}

func TestReadBodyDoesNotTrustTheAnnouncedLength(t *testing.T) {
	t.Parallel()
	r := httptest.NewRequest("POST", "/", nil)
	r.Body, r.ContentLength = io.NopCloser(strings.NewReader("x")), 1<<30
	got, err := httpx.ReadBody(r, 1<<31)
	if err != nil {
		t.Fatal(err)
	}
	if cap(got) > 128<<10 {
		t.Errorf("%d bytes were taken for a body of one", cap(got))
	}
}

// TestTooLargeBodiesAreAnswered has clients that write their whole body before they read.
func TestTooLargeBodiesAreAnswered(t *testing.T) {
	t.Parallel()
	const limit = 1 << 10
	var read atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		in := *r // net/http goes on with the one that it made
		in.Body = counted{r.Body, &read}
		if _, err := httpx.ReadBody(&in, limit); bellwire.CodeOf(err) != bellwire.CodeTooLarge {
			t.Errorf("got %v, want the code too_large", err)
		}
		w.WriteHeader(http.StatusRequestEntityTooLarge)
	}))
	defer server.Close()
	const size = 24 << 20 // more than the kernel keeps for a connection
	body := strings.Repeat("x", size)
	for _, test := range []struct {
		name, header, body string
		read               bool
	}{
		{"announced", fmt.Sprintf("Content-Length: %d\r\n", size), body, true},
		{"chunked", "Transfer-Encoding: chunked\r\n", fmt.Sprintf("%x\r\n%s\r\n0\r\n\r\n", size, body), true},
		{"asking first", fmt.Sprintf("Content-Length: %d\r\nExpect: 100-continue\r\n", size), "", false},
	} {
		t.Run(test.name, func(t *testing.T) {
			read.Store(0)
			connection, err := net.Dial("tcp", server.Listener.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			if _, err := io.WriteString(connection, "POST / HTTP/1.1\r\nHost: x\r\n"+test.header+"\r\n"+test.body); err != nil {
				t.Errorf("%s: the body could not be sent: %v", test.name, err)
			}
			answer, err := http.ReadResponse(bufio.NewReader(connection), nil)
			if err != nil {
				t.Fatalf("%s: %v", test.name, err)
			}
			if answer.StatusCode != http.StatusRequestEntityTooLarge || (read.Load() > 0) != test.read {
				t.Errorf("%s: %s, with %d bytes read", test.name, answer.Status, read.Load())
			}
			_ = connection.Close()
		})
	}
}

// counted counts the bytes that are read of a body.
type counted struct {
	io.ReadCloser
	read *atomic.Int64
}

func (c counted) Read(p []byte) (int, error) {
	n, err := c.ReadCloser.Read(p)
	c.read.Add(int64(n))
	return n, err
}

func TestBearer(t *testing.T) {
	t.Parallel()
	tests := []struct{ header, want string }{
		{"Bearer abc", "abc"},
		{"bearer  abc ", "abc"},
		{"", ""},
		{"Bearer", ""},
		{"Bearer ", ""},
		{"Basic YTpi", ""},
		{"abc", ""},
	}
	for _, test := range tests {
		t.Run(test.header, func(t *testing.T) {
			r := httptest.NewRequest("GET", "/", nil)
			if test.header != "" {
				r.Header.Set("Authorization", test.header)
			}
			got, err := httpx.Bearer(r)
			if got != test.want || (err == nil) != (test.want != "") {
				t.Errorf("%q: %q, %v", test.header, got, err)
			}
			if err != nil && bellwire.CodeOf(err) != bellwire.CodeUnauthenticated {
				t.Errorf("%q: %v", test.header, err)
			}
		})
	}
}

func TestSingle(t *testing.T) {
	t.Parallel()
	r := httptest.NewRequest("GET", "/", nil)
	if got, err := httpx.Single(r, "Identity"); got != "" || err != nil {
		t.Errorf("none: %q, %v", got, err)
	}
	r.Header["Identity"] = []string{"a"}
	if got, err := httpx.Single(r, "Identity"); got != "a" || err != nil {
		t.Errorf("one: %q, %v", got, err)
	}
	for _, values := range [][]string{{"Bearer a", "Bearer b"}, {"Bearer a", "Bearer a"}, {"Bearer a", ""}} {
		r.Header["Authorization"] = values
		if got, err := httpx.Bearer(r); got != "" || bellwire.CodeOf(err) != bellwire.CodeUnauthenticated {
			t.Errorf("%q: %q, %v", values, got, err)
		}
	}
}

func TestParseJSON(t *testing.T) {
	t.Parallel()
	type inner struct {
		Wait  bellwire.Duration `json:"wait"`
		Count int               `json:"count"`
	}
	type outer struct {
		Name  string            `json:"name"`
		On    *bool             `json:"on"`
		Rate  float64           `json:"rate"`
		List  []inner           `json:"list"`
		Texts map[string]string `json:"texts"`
	}
	tests := []struct {
		name, body string
		code       bellwire.Code
		field      string
	}{
		{"everything", `{"name":"a","on":true,"rate":1.5,"list":[{"wait":"5s","count":1}],"texts":{"a":"b"}}`, "", ""},
		{"nothing", `{}`, "", ""},
		{"empty", ``, bellwire.CodeMalformed, ""},
		{"spaces", "  \n", bellwire.CodeMalformed, ""},
		{"broken", `{"name":`, bellwire.CodeMalformed, ""},
		{"trailing", `{} {}`, bellwire.CodeMalformed, ""},
		{"invalid UTF-8", "{\"name\":\"\xff\"}", bellwire.CodeMalformed, ""},
		{"not an object", `[]`, bellwire.CodeInvalid, ""},
		{"unknown field", `{"nmae":"a"}`, bellwire.CodeInvalid, "nmae"},
		{"other case", `{"Name":"a"}`, bellwire.CodeInvalid, "Name"},
		{"unknown below", `{"list":[{},{"x":1}]}`, bellwire.CodeInvalid, "list[1].x"},
		{"twice", `{"name":"a","name":"b"}`, bellwire.CodeInvalid, "name"},
		{"number for text", `{"name":1}`, bellwire.CodeInvalid, "name"},
		{"text for bool", `{"on":"yes"}`, bellwire.CodeInvalid, "on"},
		{"fraction for integer", `{"list":[{"count":1.5}]}`, bellwire.CodeInvalid, "list[0].count"},
		{"our own error", `{"list":[{"wait":"soon"}]}`, bellwire.CodeInvalid, "list[0].wait"},
		{"number in a map", `{"texts":{"a":1}}`, bellwire.CodeInvalid, "texts.a"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			var v outer
			err := httpx.ParseJSON([]byte(test.body), &v)
			if got := bellwire.CodeOf(err); got != test.code {
				t.Fatalf("code %q, want %q (%v)", got, test.code, err)
			}
			var known *bellwire.Error
			if errors.As(err, &known) && known.Field != test.field {
				t.Errorf("field %q, want %q", known.Field, test.field)
			}
		})
	}
}

func TestDecodeJSONHasALimit(t *testing.T) {
	t.Parallel()
	r := httptest.NewRequest("POST", "/", strings.NewReader(`{"a":"`+strings.Repeat("x", 100)+`"}`))
	var v map[string]string
	if err := httpx.DecodeJSON(r, 100, &v); bellwire.CodeOf(err) != bellwire.CodeTooLarge {
		t.Errorf("%v", err)
	}
}

func TestAsError(t *testing.T) {
	t.Parallel()
	secret := errors.New("password is hunter2")
	tests := []struct {
		name    string
		err     error
		code    bellwire.Code
		message string
	}{
		{"ours", fmt.Errorf("wrapped: %w", bellwire.Invalid("url", "bad")), bellwire.CodeInvalid, "bad"},
		{"canceled", fmt.Errorf("x: %w", context.Canceled), bellwire.CodeCanceled, "the request was canceled"},
		{"deadline", context.DeadlineExceeded, bellwire.CodeUnavailable, "the server did not answer in time; try again"},
		{"foreign", secret, bellwire.CodeInternal, ""},
		{"internal of ours", bellwire.Wrap(bellwire.CodeInternal, secret, "the row %q is broken", "x"), bellwire.CodeInternal, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := httpx.AsError(test.err)
			if got.Code != test.code {
				t.Errorf("%s: code %q, want %q", test.name, got.Code, test.code)
			}
			if test.message != "" && got.Message != test.message {
				t.Errorf("%s: %q, want %q", test.name, got.Message, test.message)
			}
			if test.code == bellwire.CodeInternal && (!errors.Is(got, secret) || strings.ContainsAny(got.Message, "\"2")) {
				t.Errorf("%s: the message must hide the cause and the error keep it: %q", test.name, got.Message)
			}
		})
	}
}

func TestStatusTable(t *testing.T) {
	t.Parallel()
	table := httpx.StatusTable{bellwire.CodeNotFound: 404}
	if table.Of(bellwire.CodeNotFound) != 404 || table.Of("unheard of") != 500 {
		t.Error("the table does not say what it holds, and 500 otherwise")
	}
}

func TestRetryAfter(t *testing.T) {
	t.Parallel()
	for wait, want := range map[time.Duration]string{0: "1", time.Millisecond: "1", time.Second: "1", 1500 * time.Millisecond: "2", time.Hour: "3600"} {
		t.Run(fmt.Sprint(wait), func(t *testing.T) {
			h := http.Header{}
			httpx.RetryAfter(h, wait)
			if h.Get("Retry-After") != want {
				t.Errorf("%s: %s, want %s", wait, h.Get("Retry-After"), want)
			}
		})
	}
}

func text(body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, body) }
}

func TestMux(t *testing.T) {
	t.Parallel()
	mux := httpx.NewMux(text("own 404"), text("own 405"))
	mux.HandleFunc("GET /things/{id}", func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "got ", r.PathValue("id")) })
	mux.HandleFunc("DELETE /things/{id}", text("deleted"))
	tests := []struct{ method, path, want, allow string }{
		{"GET", "/things/1", "got 1", ""},
		{"DELETE", "/things/1", "deleted", ""},
		{"POST", "/things/1", "own 405", "DELETE, GET, HEAD"},
		{"GET", "/things", "own 404", ""},
		{"GET", "/things/1/2", "own 404", ""},
		{"POST", "/", "own 404", ""},
		{"GET", "//things/1", "own 404", ""},
		{"GET", "/things//1", "own 404", ""},
		{"GET", "/other/../things/1", "own 404", ""},
		{"GET", "/things/1/", "own 404", ""},
	}
	for _, test := range tests {
		t.Run(test.method, func(t *testing.T) {
			w := httptest.NewRecorder()
			mux.ServeHTTP(w, httptest.NewRequest(test.method, test.path, nil))
			if w.Body.String() != test.want || w.Header().Get("Allow") != test.allow {
				t.Errorf("%s %s: %q with Allow %q", test.method, test.path, w.Body, w.Header().Get("Allow"))
			}
		})
	}
}

func TestDispatcher(t *testing.T) {
	t.Parallel()
	d := httpx.NewDispatcher(text("fallback"))
	d.Mount(text("api"), "api", "docs")
	for path, want := range map[string]string{
		"/api": "api", "/api/v1/x": "api", "/docs": "api", "/": "fallback", "/apis": "fallback", "/x/api": "fallback",
	} {
		t.Run(path, func(t *testing.T) {
			w := httptest.NewRecorder()
			d.ServeHTTP(w, httptest.NewRequest("GET", path, nil))
			if w.Body.String() != want {
				t.Errorf("%s: %q, want %q", path, w.Body, want)
			}
		})
	}
	defer func() {
		if recover() == nil {
			t.Error("a segment can be taken twice")
		}
	}()
	d.Mount(text("other"), "docs")
}

func TestObserve(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	log := slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{Level: slog.LevelDebug}))
	h := httpx.Observe(log, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if httpx.RequestID(w) == "" {
			t.Error("the handler cannot see the request's id")
		}
		w.WriteHeader(http.StatusTeapot)
		fmt.Fprint(w, "short and stout")
	}))
	r := httptest.NewRequest("POST", "/pots/1?token=secret1", strings.NewReader("secret2"))
	r.Header.Set("Authorization", "Bearer secret3")
	r.Header.Set("X-Request-Id", "from-the-client")
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	if got := w.Header().Get("X-Request-Id"); got != "from-the-client" {
		t.Errorf("id %q", got)
	}
	line := out.String()
	for _, want := range []string{"id=from-the-client", "method=POST", "path=/pots/1", "status=418", "bytes=15", "took="} {
		t.Run(want, func(t *testing.T) {
			if !strings.Contains(line, want) {
				t.Errorf("no %s in %s", want, line)
			}
		})
	}
	if strings.Contains(line, "secret") {
		t.Errorf("a secret is in the log: %s", line)
	}
}

func TestObserveMakesIDs(t *testing.T) {
	t.Parallel()
	h := httpx.Observe(slog.New(slog.DiscardHandler), text(""))
	seen := map[string]bool{}
	for _, given := range []string{"", "two words", "new\nline", `quote"`, strings.Repeat("x", 65), "ümlaut"} {
		t.Run(given, func(t *testing.T) {
			r := httptest.NewRequest("GET", "/", nil)
			r.Header["X-Request-Id"] = []string{given}
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			id := w.Header().Get("X-Request-Id")
			if len(id) != 16 || id == given || seen[id] {
				t.Errorf("%q became %q", given, id)
			}
			seen[id] = true
		})
	}
}

func TestRecover(t *testing.T) {
	t.Parallel()
	internal := func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusInternalServerError)
		fmt.Fprint(w, "own 500")
	}
	serve := func(handler http.HandlerFunc) (answer *httptest.ResponseRecorder, panicked any, logged string) {
		var out bytes.Buffer
		log := slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{Level: slog.LevelDebug}))
		answer = httptest.NewRecorder()
		defer func() { panicked, logged = recover(), out.String() }()
		httpx.Observe(log, httpx.Recover(log, internal, handler)).ServeHTTP(answer, httptest.NewRequest("GET", "/", nil))
		return
	}

	answer, panicked, logged := serve(func(http.ResponseWriter, *http.Request) { panic("boom") })
	if answer.Code != 500 || answer.Body.String() != "own 500" || panicked != nil {
		t.Errorf("before the answer: %d %q %v", answer.Code, answer.Body, panicked)
	}
	if !strings.Contains(logged, "boom") || !strings.Contains(logged, "httpx_test.go") || !strings.Contains(logged, "status=500") {
		t.Errorf("the log does not tell what happened: %s", logged)
	}

	_, panicked, logged = serve(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, "half")
		panic("boom")
	})
	if panicked != http.ErrAbortHandler || !strings.Contains(logged, "boom") {
		t.Errorf("in the answer: %v %s", panicked, logged)
	}

	_, panicked, logged = serve(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	if panicked != http.ErrAbortHandler || strings.Contains(logged, "panicked") {
		t.Errorf("aborted on purpose: %v %s", panicked, logged)
	}
}

func TestServerSurvivesPanicsAndRefusesLongHeaders(t *testing.T) {
	t.Parallel()
	log := slog.New(slog.DiscardHandler)
	mux := http.NewServeMux()
	mux.HandleFunc("/panic", func(http.ResponseWriter, *http.Request) { panic("boom") })
	mux.HandleFunc("/", text("fine"))
	server := httpx.NewServer("", limits.Connections, httpx.Observe(log, httpx.Recover(log, func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusInternalServerError)
	}, mux)))
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	t.Cleanup(func() {
		server.Close()
		<-served
	})
	get := func(path, header string) int {
		r, err := http.NewRequest("GET", "http://"+listener.Addr().String()+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("X-Long", header)
		response, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		return response.StatusCode
	}
	got := []int{get("/panic", ""), get("/", ""), get("/", strings.Repeat("x", 64<<10))}
	if diff := cmp.Diff([]int{500, 200, 431}, got); diff != "" {
		t.Error(diff)
	}
}

// FuzzParseJSON: only JSON is accepted, and each refusal is the client's fault.
func FuzzParseJSON(f *testing.F) {
	for _, seed := range []string{`{}`, `{"name":"a","list":[1,2],"more":{"x":"y"}}`, `{"list":[1e999]}`, `{"name":null}`, `[`, "\xff", `{"a":1,"a":2}`, `{"more":{"":{}}}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		var into struct {
			Name string            `json:"name"`
			List []int             `json:"list"`
			More map[string]string `json:"more"`
			When *time.Time        `json:"when"`
		}
		err := httpx.ParseJSON(body, &into)
		if code := bellwire.CodeOf(err); err != nil && code != bellwire.CodeMalformed && code != bellwire.CodeInvalid {
			t.Errorf("%q: %v", body, err)
		}
		if err == nil && !json.Valid(body) {
			t.Errorf("%q was taken", body)
		}
	})
}

// FuzzBearer: a token has no space at its ends, and is a part of the header.
func FuzzBearer(f *testing.F) {
	for _, seed := range []string{"Bearer abc", "bearer  abc ", "", "Bearer", "Basic YTpi", "Bearer \t"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, header string) {
		r := httptest.NewRequest("GET", "/", nil)
		r.Header.Set("Authorization", header)
		token, err := httpx.Bearer(r)
		if err != nil && bellwire.CodeOf(err) != bellwire.CodeUnauthenticated {
			t.Errorf("%q: %v", header, err)
		}
		if err == nil && (token == "" || token != strings.TrimSpace(token) || !strings.Contains(header, token)) {
			t.Errorf("%q: %q", header, token)
		}
	})
}
