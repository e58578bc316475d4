package test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/bellwire/bellwire/internal/testenv"
)

// verified is what a verifier reads from a delivery.
type verified struct {
	Genuine struct {
		Accepted bool
		Reason   string
		ID, Type string
		Data     any
	}
	Forged bool // it accepts the delivery with a byte more, too
}

// firstHit returns the first attempt to deliver the event at a path whose body or headers contain the mark.
func firstHit(t *testing.T, in *inbox, path, mark string) *hit {
	t.Helper()
	var found *hit
	eventually(t, mark+" comes at "+path, func() bool {
		for body, hits := range in.at(path) {
			if strings.Contains(body, mark) {
				found = hits[0]
			}
		}
		return found != nil
	})
	return found
}

// Each file that the program contains makes deliveries that the vendor's library, or the steps of its documentation, accept.
func TestShippedDialectsAreVerified(t *testing.T) {
	t.Parallel()
	testenv.Needs(t, "Node")
	signed := []string{"stripe", "github", "shopify", "slack", "twilio"}
	names := append([]string{"cloudevents", "cloudevents-structured"}, signed...)
	s := startServer(t, t.TempDir(), append([]string{"--dialects", strings.Join(names, ",")}, local...)...)
	in := openInbox(t, nil)
	// Endpoints of CloudEvents allow deliveries in their answer to OPTIONS.
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodOptions {
			w.Header().Set("WebHook-Allowed-Origin", r.Header.Get("WebHook-Request-Origin"))
			return
		}
		in.ServeHTTP(w, r)
	}))
	t.Cleanup(front.Close)
	s.call("POST", "/tenants", `{"id": "acme"}`, nil)
	s.addType("order.paid")
	made := make(map[string]endpoint)
	for _, name := range names {
		var ep endpoint
		s.call("POST", "/tenants/acme/endpoints", fmt.Sprintf(`{"url": "%s/%s", "events": ["*"], "dialect": %q}`, front.URL, name, name), &ep)
		made[name] = ep
	}
	if _, err := s.publish("order.paid", []byte(`{"mark":"wire-1","total":1.50,"name":"é & +"}`)); err != nil {
		t.Fatal(err)
	}
	var input bytes.Buffer
	encoder := json.NewEncoder(&input)
	for _, name := range names {
		got := firstHit(t, in, "/"+name, "wire-1")
		headers := make(map[string]string)
		for header := range got.header {
			headers[strings.ToLower(header)] = got.header.Get(header)
		}
		err := encoder.Encode(map[string]any{
			"dialect": name, "secret": made[name].Secret, "url": front.URL + "/" + name, "headers": headers, "body": got.body,
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	node := exec.CommandContext(t.Context(), "node", "npm/vendors.mjs")
	node.Stdin, node.Stderr = &input, os.Stderr
	output, err := node.Output()
	if err != nil {
		t.Fatalf("node: %v", err)
	}
	lines := bufio.NewScanner(bytes.NewReader(output))
	for i, name := range names {
		var v verified
		if !lines.Scan() {
			t.Fatalf("there is no answer about %s", name)
		}
		if err := json.Unmarshal(lines.Bytes(), &v); err != nil {
			t.Fatal(err)
		}
		data, _ := v.Genuine.Data.(map[string]any)
		if !v.Genuine.Accepted || v.Genuine.ID == "" || v.Genuine.Type == "" || data["name"] != "é & +" {
			t.Errorf("%s: %s", name, lines.Bytes())
		}
		if i >= len(names)-len(signed) && v.Forged {
			t.Errorf("%s: a forged delivery is accepted", name)
		}
	}
	s.terminate()
}

const ownDialect = `dialect: acme-hooks
description: The format that Acme's customers have today.
body: '{"kind":"{event.type}","payload":{data.object}}'
secret: {form: hex, bytes: 32}
signatures:
  - {header: X-Acme-Signature, algorithm: sha256, encoding: hex, content: "{body}", format: "{signatures}", separator: ","}
`

// A folder's file makes a dialect: its deliveries are signed with two secrets during a rotation, an event that it cannot express
// ends with the reason, and without the file the deliveries wait.
func TestDialectFromAFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	folder := filepath.Join(dir, "dialects")
	if err := os.Mkdir(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, "acme.yaml"), []byte(ownDialect), 0o600); err != nil {
		t.Fatal(err)
	}
	s := startServer(t, dir, append([]string{"--dialect-dir", folder}, local...)...)
	in := openInbox(t, nil)
	s.call("POST", "/tenants", `{"id": "acme"}`, nil)
	s.addType("order.paid")
	var ep endpoint
	const endpoints = "/tenants/acme/endpoints"
	s.call("POST", endpoints, fmt.Sprintf(`{"url": "%s/", "events": ["*"], "dialect": "acme-hooks"}`, in.url), &ep)
	status, answer, err := s.do("POST", endpoints, fmt.Appendf(nil, `{"url": "%s/", "events": ["*"], "dialect": "acme-hooks", "secret": "x"}`, in.url))
	if err != nil || status != http.StatusUnprocessableEntity || !bytes.Contains(answer, []byte("secret must be the hex of 32 bytes")) {
		t.Errorf("another form of secret: %d %s %v", status, answer, err)
	}
	s.call("POST", endpoints+"/"+ep.ID+"/secret/rotate", `{}`, nil)
	var secret struct{ Secrets []struct{ Secret string } }
	s.call("GET", endpoints+"/"+ep.ID+"/secret", "", &secret)
	if len(secret.Secrets) != 2 || secret.Secrets[1].Secret != ep.Secret {
		t.Fatalf("there are %d secrets", len(secret.Secrets))
	}

	if _, err := s.publish("order.paid", []byte(`{"mark":"first"}`)); err != nil {
		t.Fatal(err)
	}
	got := firstHit(t, in, "/", "first")
	if got.body != `{"kind":"order.paid","payload":{"mark":"first"}}` {
		t.Errorf("the body is %s", got.body)
	}
	want := fmt.Sprintf("%x,%x", mac(secret.Secrets[0].Secret, got.body), mac(ep.Secret, got.body))
	if signature := got.header.Get("X-Acme-Signature"); signature != want {
		t.Errorf("the signatures are %s, want %s", signature, want)
	}

	list, err := s.publish("order.paid", []byte(`["a list"]`))
	if err != nil {
		t.Fatal(err)
	}
	s.awaitReason(list, "exhausted", "the event's data is not an object, as the dialect acme-hooks requires; nothing was sent")
	s.terminate()

	s = startServer(t, dir, local...)
	waits, err := s.publish("order.paid", []byte(`{"mark":"second"}`))
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "the log says what is missing", func() bool {
		return strings.Contains(s.logged(), `the dialect \"acme-hooks\" is not enabled on this server`)
	})
	s.awaitReason(waits, "pending", "")
	s.terminate()

	s = startServer(t, dir, append([]string{"--dialect-dir", folder}, local...)...)
	firstHit(t, in, "/", "second")
	s.terminate()
}

// awaitReason waits until the only delivery of an event has a status and a reason.
func (s *server) awaitReason(event, status, reason string) {
	s.t.Helper()
	var list struct {
		Data []struct {
			Status string
			Reason *string
		}
	}
	eventually(s.t, "the delivery is "+status, func() bool {
		s.call("GET", "/tenants/acme/deliveries?event="+event, "", &list)
		return len(list.Data) == 1 && list.Data[0].Status == status
	})
	if got := list.Data[0].Reason; reason != "" && (got == nil || *got != reason) {
		s.t.Errorf("the reason is %v, want %s", got, reason)
	}
}
