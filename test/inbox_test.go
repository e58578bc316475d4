package test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// hit is one attempt as a customer saw it.
type hit struct {
	header   http.Header
	body     string
	at       time.Time
	answered int
}

// sentAt checks that a header has the time of the attempt in seconds.
func (h *hit) sentAt(unix string) error {
	seconds, err := strconv.ParseInt(unix, 10, 64)
	if err != nil {
		return err
	}
	if age := h.at.Sub(time.Unix(seconds, 0)); age < 0 || age > patience {
		return fmt.Errorf("it says %s, and came at %d", unix, h.at.Unix())
	}
	return nil
}

// inbox is the customer's side of many endpoints, by path. Attempts whose bodies are the same are of one delivery: every
// dialect sends the same bytes again.
type inbox struct {
	url string
	// answer gives the status for the nth attempt, from 1, to deliver a body at a path.
	answer func(path, body string, n int) int

	mu     sync.Mutex
	hits   map[string]map[string][]*hit // by path and body
	order  map[string][]string          // bodies in the order of their first receipt, by path
	inside map[string]int               // requests under way, by path
	most   map[string]int               // of them, ever
}

// openInbox starts one that answers as answer says, or 200 if that is nil.
func openInbox(t *testing.T, answer func(path, body string, n int) int) *inbox {
	t.Helper()
	in := &inbox{
		answer: answer, hits: make(map[string]map[string][]*hit), order: make(map[string][]string),
		inside: make(map[string]int), most: make(map[string]int),
	}
	s := httptest.NewServer(in)
	t.Cleanup(s.Close)
	in.url = s.URL
	return in
}

func (in *inbox) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // the sender was killed in the middle: this is no delivery
	}
	in.enter(r.URL.Path)
	defer in.leave(r.URL.Path)
	w.WriteHeader(in.take(r, string(body)))
}

func (in *inbox) take(r *http.Request, body string) int {
	in.mu.Lock()
	defer in.mu.Unlock()
	path := r.URL.Path
	if in.hits[path] == nil {
		in.hits[path] = make(map[string][]*hit)
	}
	before := in.hits[path][body]
	if len(before) == 0 {
		in.order[path] = append(in.order[path], body)
	}
	h := &hit{header: r.Header, body: body, at: time.Now(), answered: http.StatusOK}
	if in.answer != nil {
		h.answered = in.answer(path, body, len(before)+1)
	}
	in.hits[path][body] = append(before, h)
	return h.answered
}

func (in *inbox) enter(path string) {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.inside[path]++
	in.most[path] = max(in.most[path], in.inside[path])
}

func (in *inbox) leave(path string) {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.inside[path]--
}

// at returns the attempts that came to a path, by body.
func (in *inbox) at(path string) map[string][]*hit {
	in.mu.Lock()
	defer in.mu.Unlock()
	return maps.Clone(in.hits[path])
}

// acknowledged counts the deliveries to an endpoint that were acknowledged.
func (in *inbox) acknowledged(ep *subscription) int {
	in.mu.Lock()
	defer in.mu.Unlock()
	n := 0
	for _, hits := range in.hits[ep.path] {
		if slices.ContainsFunc(hits, func(h *hit) bool { return ep.vendor.acknowledged(h.answered) }) {
			n++
		}
	}
	return n
}

// bodies returns the bodies that a path received, in the order of first receipt.
func (in *inbox) bodies(path string) []string {
	in.mu.Lock()
	defer in.mu.Unlock()
	return slices.Clone(in.order[path])
}

// check returns what a customer of the vendor would find wrong with an attempt, and the event that it carries.
func (ep *subscription) check(h *hit) (map[string]string, error) {
	names := append([]string{"Content-Length", "Content-Type", "User-Agent"}, ep.vendor.headers...)
	slices.Sort(names)
	if got := slices.Sorted(maps.Keys(h.header)); !slices.Equal(got, names) {
		return nil, fmt.Errorf("its headers are %s, not %s", got, names)
	}
	if contentType := h.header.Get("Content-Type"); contentType != "application/json" {
		return nil, fmt.Errorf("its content type is %q", contentType)
	}
	parts := ep.vendor.parts(h.body)
	if parts == nil {
		return nil, errors.New("its body is not of the vendor's form")
	}
	if err := ep.vendor.proof(h, ep); err != nil {
		return nil, err
	}
	return parts, ep.checkByPackage(h, parts)
}

// checkByPackage verifies the attempt with package receive, and compares the event that it returns.
func (ep *subscription) checkByPackage(h *hit, parts map[string]string) error {
	verifier, err := ep.vendor.verifier(ep)
	if err != nil {
		return err
	}
	d, err := verifier.Verify(h.header, []byte(h.body))
	if err != nil {
		return fmt.Errorf("package receive: %w", err)
	}
	if d.Type != parts["type"] || string(d.Data) != strings.TrimSpace(parts["data"]) {
		return fmt.Errorf("package receive reads %s %s", d.Type, d.Data)
	}
	for _, name := range []string{"id", "notification"} {
		if id := parts[name]; id != "" && d.ID != id {
			return fmt.Errorf("package receive reads the id %s", d.ID)
		}
	}
	return nil
}

// pythonCheck does with each line's delivery what Atelio's pages tell its customers to, and compares the body with what
// Python makes of the data. A number that Python's float would change stays as it was published.
const pythonCheck = `
import decimal, hashlib, hmac, json, re, sys
def number(text):
    return float(text) if decimal.Decimal(repr(float(text))) == decimal.Decimal(text) else "\0" + text
for line in sys.stdin:
    d = json.loads(line)
    parts = dict(part.split("=") for part in d["signature"].split(","))
    text = json.dumps(json.loads(d["body"]))
    if parts["v1"] != hmac.new(d["secret"].encode(), (parts["t"] + "." + text).encode(), hashlib.sha256).hexdigest():
        print("v1 is not good:", d["body"])
    want = re.sub(r'"\\u0000([^"]*)"', r"\1", json.dumps(json.loads(d["data"], parse_float=number)))
    if d["got"] != want:
        print("of", d["data"], "came", d["got"], "and not", want)
print("done")
`

// pythonDelivery is what pythonCheck reads.
type pythonDelivery struct {
	Secret    string `json:"secret"`
	Signature string `json:"signature"`
	Body      string `json:"body"`
	Data      string `json:"data"` // as published
	Got       string `json:"got"`  // of the body
}

// forPython is an attempt as pythonCheck reads it.
func (ep *subscription) forPython(h *hit, published string) pythonDelivery {
	return pythonDelivery{
		Secret: ep.secret, Signature: h.header.Get("Bond-Signature"), Body: h.body, Data: published, Got: ep.vendor.parts(h.body)["data"],
	}
}

// checkInPython reports what Python finds wrong with deliveries of Atelio's.
func checkInPython(t *testing.T, deliveries []pythonDelivery) {
	t.Helper()
	var input bytes.Buffer
	encoder := json.NewEncoder(&input)
	for _, d := range deliveries {
		if err := encoder.Encode(d); err != nil {
			t.Fatal(err)
		}
	}
	python := exec.CommandContext(t.Context(), "python3", "-c", pythonCheck)
	python.Stdin, python.Stderr = &input, os.Stderr
	out, err := python.Output()
	if err != nil {
		t.Fatalf("this test needs python3: %v", err)
	}
	for line := range strings.Lines(string(out)) {
		if line != "done\n" {
			t.Errorf("python: %s", line)
		}
	}
	if !strings.HasSuffix(string(out), "done\n") {
		t.Error("python did not come to its end")
	}
}

// busiest returns the largest number of concurrent requests to a path.
func (in *inbox) busiest(path string) int {
	in.mu.Lock()
	defer in.mu.Unlock()
	return in.most[path]
}
