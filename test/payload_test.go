package test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
	"golang.org/x/sync/errgroup"

	"github.com/bellwire/bellwire/internal/testenv"
	"github.com/bellwire/bellwire/receive"
)

// payload is the data of a published event.
type payload struct {
	eventType string
	data      []byte
}

// Re-encoding would change each of these.
var delicate = []string{
	`1E400`, `-1e-400`, `1.0`, `1.10`, `-0`, `0.1e+1`, `123456789012345678901234567890.000`,
	`"a bare string"`, `""`, `null`, `true`, `[]`, `{}`,
	`"caf\u00e9 \/ \ud83d\ude00 \u003cb\u003e"`, "\"caf\u00e9 / \U0001F600 <b>&'\"", "\"\u2028\u2029\u007f\"", `"\u2028\u0000\b\f\n\r\t\\\""`,
	"{ \"spaces\" :\t[ 1 ,  2 ] ,\r\n \"b\" : { } }", `{"z":1,"a":2,"10":3,"9":4}`, `{"":{"":[[[]]]}}`,
	`[1,1.0,1e0,10E-1]`, `{"amount":10.00,"currency":"EUR","id":9007199254740993}`,
}

// githubExamples are real payloads of a large webhook system, in the spelling of their file.
func githubExamples(t *testing.T) []payload {
	t.Helper()
	indexes, err := filepath.Glob("npm/node_modules/@octokit/webhooks-examples/*/index.json")
	if err != nil || len(indexes) == 0 {
		t.Fatalf("the examples are not installed: %v", err)
	}
	var all []payload
	for _, path := range indexes {
		var entries []struct {
			Name     string
			Examples []json.RawMessage
		}
		if err := json.Unmarshal(mustRead(t, path), &entries); err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		for _, e := range entries {
			for _, example := range e.Examples {
				all = append(all, payload{eventType: "github." + e.Name, data: example})
			}
		}
	}
	if len(all) < 329 {
		t.Fatalf("found %d examples; the package has at least 329", len(all))
	}
	return all
}

// What is published is what arrives, byte for byte, and every library for receivers accepts it.
func TestPayloadsArriveUnchangedAndVerified(t *testing.T) {
	t.Parallel()
	testenv.Needs(t, "Node")
	s := startServer(t, t.TempDir(), local...)
	r := startReceiver(t, 0)
	ep := s.subscribe(r.url)

	payloads := githubExamples(t)
	for _, data := range delicate {
		payloads = append(payloads, payload{eventType: "delicate", data: []byte(data)})
	}
	types := make(map[string]bool)
	for _, p := range payloads {
		if !types[p.eventType] {
			types[p.eventType] = true
			s.addType(p.eventType)
		}
	}
	ids := publishAll(t, s, payloads)
	got := r.await(t, ids)

	verifier, err := receive.Standard(ep.Secret)
	if err != nil {
		t.Fatal(err)
	}
	reference, err := standardwebhooks.NewWebhook(ep.Secret)
	if err != nil {
		t.Fatal(err)
	}
	for i, id := range ids {
		first := got[id][0]
		delivery, err := verifier.Verify(first.header, first.body)
		if err != nil {
			t.Fatalf("%s: package receive: %v", payloads[i].eventType, err)
		}
		if !bytes.Equal(delivery.Data, payloads[i].data) {
			t.Errorf("%s: published %.200q, received %.200q", payloads[i].eventType, payloads[i].data, delivery.Data)
		}
		if delivery.Type != payloads[i].eventType || delivery.ID != id {
			t.Errorf("published %s as %s, received %s as %s", payloads[i].eventType, id, delivery.Type, delivery.ID)
		}
		if err := reference.Verify(first.body, first.header); err != nil {
			t.Errorf("%s: the Standard Webhooks library: %v", payloads[i].eventType, err)
		}
	}
	verifyInNode(t, ep.Secret, ids, got)
	s.terminate()
}

// publishAll publishes with several connections, and returns the events' ids in order.
func publishAll(t *testing.T, s *server, payloads []payload) []string {
	t.Helper()
	ids := make([]string, len(payloads))
	var publishers errgroup.Group
	publishers.SetLimit(8)
	for i, p := range payloads {
		publishers.Go(func() (err error) {
			ids[i], err = s.publish(p.eventType, p.data)
			return err
		})
	}
	if err := publishers.Wait(); err != nil {
		t.Fatal(err)
	}
	return ids
}

// verifyInNode has the npm packages check every delivery: they accept it, and refuse it with a byte more.
func verifyInNode(t *testing.T, secret string, ids []string, got map[string][]request) {
	t.Helper()
	var input bytes.Buffer
	encoder := json.NewEncoder(&input)
	for _, id := range ids {
		headers := make(map[string]string)
		for name := range got[id][0].header {
			headers[strings.ToLower(name)] = got[id][0].header.Get(name)
		}
		if err := encoder.Encode(map[string]any{"secret": secret, "headers": headers, "body": got[id][0].body}); err != nil {
			t.Fatal(err)
		}
	}
	node := exec.CommandContext(t.Context(), "node", "npm/verify.mjs")
	node.Stdin, node.Stderr = &input, os.Stderr
	output, err := node.Output()
	if err != nil {
		t.Fatalf("node: %v", err)
	}
	checked := 0
	for lines := bufio.NewScanner(bytes.NewReader(output)); lines.Scan(); checked++ {
		var verdicts map[string]struct{ Genuine, Forged string }
		if err := json.Unmarshal(lines.Bytes(), &verdicts); err != nil {
			t.Fatal(err)
		}
		for _, library := range []string{"standardwebhooks", "svix"} {
			v := verdicts[library]
			if v.Genuine != "accepted" {
				t.Errorf("%s: the npm package %s refuses it: %s", ids[checked], library, v.Genuine)
			}
			if !strings.HasPrefix(v.Forged, "WebhookVerificationError") {
				t.Errorf("%s: the npm package %s says of a forged one: %s", ids[checked], library, v.Forged)
			}
		}
	}
	if checked != len(ids) {
		t.Errorf("node checked %d of %d deliveries", checked, len(ids))
	}
}
