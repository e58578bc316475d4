package test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/bellwire/bellwire/internal/testenv"
)

// run runs a command of the binary against the server, and returns its output.
func (s *server) run(args ...string) string {
	s.t.Helper()
	cmd := exec.CommandContext(s.t.Context(), binary, args...)
	cmd.Env = append(cmd.Environ(), "BELLWIRE_SERVER="+s.url, "BELLWIRE_KEY="+s.key)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		s.t.Fatalf("bellwire %s: %v\n%s", strings.Join(args, " "), err, &stderr)
	}
	return string(out)
}

// catalogueSizes are how many event types each vendor's documents have.
var catalogueSizes = map[string]int{"akkuro": 4, "atelio": 51, "azakaw": 2, "lemon": 83, "bluefin": 2}

// catalogued is an event type as the command line lists it.
type catalogued struct {
	Name    string
	Group   string
	Example json.RawMessage
}

// Every vendor's catalogue is loaded with one command, twice with the same effect as once, and each of its examples is
// delivered by a test, as the vendor's customers expect it.
func TestCatalogues(t *testing.T) {
	t.Parallel()
	testenv.Needs(t, "Python")
	s := startServer(t, t.TempDir(), append([]string{"--limit", "test_rate=0"}, everyDialect...)...)
	for vendor, size := range catalogueSizes {
		t.Run(vendor, func(t *testing.T) {
			for i, want := range []string{
				fmt.Sprintf("%s: %d event types, %d added, 0 changed\n", vendor, size, size),
				fmt.Sprintf("%s: %d event types, 0 added, 0 changed\n", vendor, size),
			} {
				if got := s.run("catalogue", "load", vendor); got != want {
					t.Errorf("load %s, time %d: %s", vendor, i+1, got)
				}
			}
		})
	}
	everything := append([]string{"catalogue", "load"}, "bluefin", "lemon", "azakaw", "atelio", "akkuro")
	if got := s.run(everything...); strings.Count(got, " 0 added, 0 changed\n") != len(catalogueSizes) {
		t.Errorf("all of them again: %s", got)
	}

	a := openAccountWithKey(t, s)
	in := openInbox(t, nil)
	for vendor, size := range catalogueSizes {
		t.Run(vendor, func(t *testing.T) {
			types := catalogueOf(t, s, vendor)
			if len(types) != size {
				t.Errorf("the list of %s has %d event types", vendor, len(types))
			}
			a.testExamples(in, vendorOf(vendor), types)
		})
	}
	s.terminate()
}

func catalogueOf(t *testing.T, s *server, vendor string) []catalogued {
	t.Helper()
	var all []catalogued
	for dec := json.NewDecoder(strings.NewReader(s.run("catalogue", "list", "--dialect", vendor, "--json"))); dec.More(); {
		var c catalogued
		if err := dec.Decode(&c); err != nil {
			t.Fatal(err)
		}
		all = append(all, c)
	}
	return all
}

// testExamples has each example of a vendor delivered by a test, and checks what comes.
func (a *account) testExamples(in *inbox, v *vendor, types []catalogued) {
	a.t.Helper()
	subscribed := a.subscribeAll(in, v, types)
	events := make(map[string]string)
	for _, c := range types {
		var receipt struct{ Event string }
		a.server.call("POST", "/tenants/"+a.id+"/endpoints/"+subscribed[c.Name].id+"/test", object("type", c.Name), &receipt)
		events[c.Name] = receipt.Event
	}
	var forPython []pythonDelivery
	for _, c := range types {
		ep := subscribed[c.Name]
		if d := a.ended(events[c.Name])[ep.id]; d.Status != "succeeded" {
			a.t.Fatalf("%s: a test of %s has come to %+v", v.name, c.Name, d)
		}
		hits := in.typed(ep, c.Name)
		if len(hits) != 1 {
			a.t.Fatalf("%s: a test of %s came %d times", v.name, c.Name, len(hits))
		}
		a.checkExample(ep, hits[0], c)
		if v.name == "atelio" {
			forPython = append(forPython, ep.forPython(hits[0], string(c.Example)))
		}
	}
	checkInPython(a.t, forPython)
}

// subscribeAll makes as many endpoints for all event types as the vendor needs, and returns them by type.
func (a *account) subscribeAll(in *inbox, v *vendor, types []catalogued) map[string]*subscription {
	a.t.Helper()
	subscribed := make(map[string]*subscription)
	if v.name == "akkuro" || v.name == "bluefin" { // one event each
		for _, c := range types {
			subscribed[c.Name] = a.subscribeIn(v, in, c)
		}
		return subscribed
	}
	var names []string
	for _, c := range types {
		names = append(names, c.Name)
	}
	ep := a.subscribe(v, in, "/"+v.name, names...)
	for _, name := range names {
		subscribed[name] = ep
	}
	return subscribed
}

// checkExample checks an attempt and compares it with the example. Atelio's form is for Python to compare.
func (a *account) checkExample(ep *subscription, h *hit, c catalogued) {
	a.t.Helper()
	parts, err := ep.check(h)
	switch {
	case err != nil:
		a.t.Errorf("%s: %v\n%s", ep.vendor.name, err, h.body)
	case c.Name == updates:
		a.followExample(parts["data"], c.Example)
	case ep.vendor.name != "atelio" && !bytes.Equal(compacted(a.t, []byte(parts["data"])), compacted(a.t, c.Example)):
		a.t.Errorf("%s: of the example %s came %s", ep.vendor.name, c.Example, h.body)
	}
}

// subscribeIn makes an endpoint for one event type, in the type's own group where the vendor has groups.
func (a *account) subscribeIn(v *vendor, in *inbox, c catalogued) *subscription {
	a.t.Helper()
	method, target, body := v.make(a, in.url+"/"+c.Name, []string{c.Name})
	if v.name == "akkuro" {
		target = strings.Replace(target, "/payconex/", "/"+c.Group+"/", 1)
	}
	answer := a.must(v, method, target, body)
	ep := &subscription{vendor: v, path: "/" + c.Name, id: member(a.t, answer, v.madeID...)}
	if v.madeSecret != nil {
		ep.secret = member(a.t, answer, v.madeSecret...)
	}
	return ep
}

// followExample gets the records behind a link.
func (a *account) followExample(payload string, example json.RawMessage) {
	a.t.Helper()
	records := a.must(vendorOf("bluefin"), "GET", strings.TrimPrefix(member(a.t, payload, "url"), publicURL), "")
	records = strings.ReplaceAll(records, `,"updateId":"`+member(a.t, payload, "updateId")+`"`, "") // which no publisher knows
	if got := compacted(a.t, []byte(`{"updates":`+records+`}`)); !bytes.Equal(got, compacted(a.t, example)) {
		a.t.Errorf("of the example %s came %s", example, records)
	}
}

// typed returns the requests of an event type that an endpoint received.
func (in *inbox) typed(ep *subscription, eventType string) []*hit {
	var all []*hit
	for body, hits := range in.at(ep.path) {
		if ep.vendor.parts(body)["type"] == eventType {
			all = append(all, hits...)
		}
	}
	return all
}

func compacted(t *testing.T, text []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := json.Compact(&out, text); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return out.Bytes()
}

// The tutorial of lemon.markets' page on webhooks, against the sandbox: register, trigger, receive, look it up.
func TestLemonTutorial(t *testing.T) {
	t.Parallel()
	s := startServer(t, t.TempDir(), append([]string{"--sandbox"}, everyDialect...)...)
	s.run("catalogue", "load", "lemon")
	a := openAccountWithKey(t, s)
	in := openInbox(t, nil)
	lemon := vendorOf("lemon")

	const hook = "/48cf1291-4ab5-452b-9d07-17103ab8e768"
	status, answer := a.ask(lemon, "POST", "/v1/webhooks", "{\n\"url\": \""+in.url+hook+"\",\n\"events\": [\n\"account.created\"\n]\n}\n")
	if status != http.StatusCreated {
		t.Fatalf("register answered %d %s", status, answer)
	}
	ep := &subscription{vendor: lemon, path: hook, id: member(t, answer, "id"), secret: member(t, answer, "signature_secret")}

	status, answer = a.ask(lemon, "POST", "/v1/accounts", `
{
"accepted_agreements": [
{
"accepted_at": "2023-06-29T14:39:29Z",
"agreement_id": "agr_9902271f791d413aad781763c61b9bb0"
}
],
"declaration_of_acting_on_own_account": true,
"customer": {"firstname": "Erika", "lastname": "Mustermann"}
}
`)
	if status != http.StatusOK {
		t.Fatalf("trigger answered %d %s", status, answer)
	}
	account := member(t, answer, "id")

	eventually(t, "the event arrives", func() bool { return len(in.bodies(hook)) == 1 })
	body := in.bodies(hook)[0]
	for _, h := range in.at(hook)[body] {
		parts, err := ep.check(h)
		if err != nil || parts["type"] != "account.created" || parts["data"] != `{"account":"`+account+`"}` {
			t.Errorf("%s: %v", body, err)
		}
	}
	if list, want := a.must(lemon, "GET", "/v1/events?type=account.created&context.account="+account, ""), `{"data":[`+body+`],"pagination":{"next_cursor":null}}`; strings.TrimSpace(list) != want {
		t.Errorf("the list of events is %s, not %s", list, want)
	}
	a.checkAudit()
	a.must(lemon, "DELETE", "/v1/webhooks/"+ep.id, "")
	if list := a.must(lemon, "GET", "/v1/webhooks", ""); strings.Contains(list, ep.id) {
		t.Errorf("the webhook is still there: %s", list)
	}
	s.terminate()
}

// checkAudit looks for who asked for what through the vendor's API, and why, newest first.
func (a *account) checkAudit() {
	a.t.Helper()
	var log struct {
		Data []struct{ Tenant, Method, Path, Principal, Justification, Action string }
	}
	a.server.call("GET", "/audit", "", &log)
	var calls []string
	for _, e := range log.Data {
		if e.Action != "" { // a change of the configuration, which has an entry of its own
			continue
		}
		if e.Tenant != a.id || e.Principal != "nobody" || e.Justification != "webhook-test" {
			a.t.Errorf("the audit log has %+v", e)
		}
		calls = append(calls, e.Method+" "+e.Path)
	}
	if want := []string{"GET /v1/events", "POST /v1/accounts", "POST /v1/webhooks"}; !slices.Equal(calls, want) {
		a.t.Errorf("the audit log has %v", calls)
	}
}
