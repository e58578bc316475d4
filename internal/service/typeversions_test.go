package service_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/service"
)

const (
	schemaV1 = `{"type": "object", "required": ["amount"], "properties": {"amount": {"type": "number"}}}`
	schemaV2 = `{"type": "object", "required": ["total"], "properties": {"total": {"type": "number"}}}`
)

func TestAddVersion(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	tenant := e.tenant("acme")
	e.putType("card.paid", service.EventTypeInput{Schema: []byte(schemaV1), Example: []byte(`{"amount": 1.50}`)})
	url, events := "https://example.com/hook", []string{"card.paid"}
	ep, _, err := e.CreateEndpoint(t.Context(), admin, tenant, service.EndpointInput{URL: &url, Events: &events})
	if err != nil {
		t.Fatal(err)
	}
	second := service.NewVersion{Schema: []byte(schemaV2), Example: []byte(`{"total": 1.50}`), Converter: `{"amount": data.total}`}
	for want, converter := range map[string]string{
		"is required": " ", "does not exist in card.paid": `{"amount": data.amount}`,
		"does not fit the schema of version 1": `{"amount": "1"}`, "cannot convert the example of version 2": `{"amount": 1 / 0}`,
	} {
		bad := second
		bad.Converter = converter
		if _, err := e.AddVersion(t.Context(), admin, "card.paid", bad); bellwire.CodeOf(err) != bellwire.CodeInvalid || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", converter, err, want)
		}
	}
	if _, err := e.AddVersion(t.Context(), admin, "card.none", second); bellwire.CodeOf(err) != bellwire.CodeNotFound {
		t.Error("a version of no type:", err)
	}
	added, err := e.AddVersion(t.Context(), admin, "card.paid", second)
	if err != nil {
		t.Fatal(err)
	}
	if len(added.Older) != 1 || string(added.Older[0].Schema) != schemaV1 || string(added.Schema) != schemaV2 || added.Since == 0 {
		t.Errorf("the type is %+v", added)
	}
	versions := func() []service.TypeVersion {
		t.Helper()
		got, err := e.EndpointVersions(t.Context(), admin, tenant, ep.ID)
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	if got := versions(); len(got) != 1 || got[0] != (service.TypeVersion{EventType: "card.paid", Version: 1, Newest: 2}) {
		t.Errorf("the endpoint gets %+v", got)
	}
	counts, err := e.CountVersions(t.Context(), admin, "card.paid")
	if want := []service.VersionCount{{Version: 1, Endpoints: 1}, {Version: 2}}; err != nil || !slices.Equal(counts, want) {
		t.Errorf("the versions are read by %+v, %v, want %+v", counts, err, want)
	}
	if _, err := e.CountVersions(t.Context(), admin, "card.none"); bellwire.CodeOf(err) != bellwire.CodeNotFound {
		t.Error("the readers of no type:", err)
	}
	for name, number := range map[string]int{"card.paid": 3, "card.none": 1} {
		_, err := e.UpdateEndpoint(t.Context(), admin, tenant, ep.ID, service.EndpointInput{Versions: map[string]int{name: number}})
		if bellwire.CodeOf(err) != bellwire.CodeInvalid {
			t.Errorf("version %d of %s: %v", number, name, err)
		}
	}
	for _, number := range []int{2, 1} {
		if _, err := e.UpdateEndpoint(t.Context(), admin, tenant, ep.ID, service.EndpointInput{Versions: map[string]int{"card.paid": number}}); err != nil {
			t.Fatal(err)
		}
		if got := versions(); got[0].Version != number || !got[0].Chosen {
			t.Errorf("after the choice of %d the endpoint gets %+v", number, got)
		}
	}
	// Its filter is checked against the schema of its version.
	old, current := "data.amount > 1", "data.total > 1"
	if _, err := e.UpdateEndpoint(t.Context(), admin, tenant, ep.ID, service.EndpointInput{Filter: &old}); err != nil {
		t.Error(err)
	}
	if _, err := e.UpdateEndpoint(t.Context(), admin, tenant, ep.ID, service.EndpointInput{Filter: &current}); bellwire.CodeOf(err) != bellwire.CodeInvalid {
		t.Error("a filter over another version:", err)
	}
	if _, err := e.PutConverter(t.Context(), admin, "card.paid", 2, "data"); bellwire.CodeOf(err) != bellwire.CodeNotFound {
		t.Error("a converter to the newest version:", err)
	}
	if changed, err := e.PutConverter(t.Context(), admin, "card.paid", 1, `{"amount": data.total + 0}`); err != nil || changed.Older[0].Converter != `{"amount": data.total + 0}` || changed.Since != added.Since {
		t.Errorf("%+v, %v", changed, err)
	}
}

// TestVersionsOfAnotherNode: a version that another node has just added can be used at once, because the store is asked before it is refused.
func TestVersionsOfAnotherNode(t *testing.T) {
	t.Parallel()
	for name, use := range map[string]func(e *env, tenant string, number int) error{
		"create": func(e *env, tenant string, number int) error {
			in := minimal()
			in.Versions = map[string]int{"card.paid": number}
			_, _, err := e.CreateEndpoint(t.Context(), admin, tenant, in)
			return err
		},
		"preview": func(e *env, tenant string, number int) error {
			trial := service.VersionTrial{Versions: map[string]int{"card.paid": number}}
			_, err := e.PreviewVersions(t.Context(), admin, tenant, e.endpoint(tenant).ID, trial)
			return err
		},
		"import": func(e *env, tenant string, number int) error {
			i, err := e.BeginImport(t.Context(), admin, false)
			if err != nil {
				return err
			}
			defer i.End()
			return i.Event(t.Context(), 1, service.ImportedEvent{
				Tenant: tenant, Type: "card.paid", Version: number, ID: "a", Data: []byte("1"), CreatedAt: time.Now(),
			})
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := newEnv(t)
			tenant := e.tenant("acme")
			e.putType("card.paid", service.EventTypeInput{})
			if err := use(e, tenant, 2); bellwire.CodeOf(err) != bellwire.CodeInvalid {
				t.Errorf("before it is added: %v", err)
			}
			kind, err := e.store.EventType(t.Context(), "card.paid")
			if err != nil {
				t.Fatal(err)
			}
			kind.Older, kind.Since = []bellwire.OlderVersion{{Converter: "data"}}, bellwire.SinceNow
			if err := e.store.ReplaceEventType(t.Context(), kind); err != nil { // past this node's directory
				t.Fatal(err)
			}
			if err := use(e, tenant, 2); err != nil {
				t.Error("after it was added:", err)
			}
			if err := use(e, tenant, 3); bellwire.CodeOf(err) != bellwire.CodeInvalid {
				t.Errorf("one that does not exist: %v", err)
			}
		})
	}
}

// TestWrongVersionsAreAskedFor: of many wrong versions, the store is asked for those that are reported.
func TestWrongVersionsAreAskedFor(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	tenant := e.tenant("acme")
	in := minimal()
	in.Versions = make(map[string]int)
	for i := range 500 {
		in.Versions[fmt.Sprint("unknown.", i)] = 1
	}
	before := e.store.reads.Load()
	_, _, err := e.CreateEndpoint(t.Context(), admin, tenant, in)
	if reads := e.store.reads.Load() - before; bellwire.CodeOf(err) != bellwire.CodeInvalid || reads > 50 {
		t.Errorf("it takes %d reads: %v", reads, err)
	}
}

// Changes at the same time are made one after the other, so that no version is lost.
func TestVersionsAreAddedAtTheSameTime(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	e.putType("card.paid", service.EventTypeInput{})
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			var err error
			if i%2 == 0 {
				_, err = e.AddVersion(t.Context(), admin, "card.paid", service.NewVersion{Converter: "data"})
			} else {
				_, _, err = e.PutEventType(t.Context(), admin, "card.paid", service.EventTypeInput{Description: "Paid."})
			}
			if err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	kind, err := e.EventType(t.Context(), admin, "card.paid")
	if err != nil || kind.Newest().Number != 5 {
		t.Errorf("the newest version is %+v (%v), want 5", kind.Newest(), err)
	}
}

func TestBreakingChangesAreRefused(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	tenant := e.tenant("acme")
	first, broken := service.EventTypeInput{Schema: []byte(schemaV1)}, service.EventTypeInput{Schema: []byte(schemaV2)}
	put := func(in service.EventTypeInput) error {
		_, _, err := e.PutEventType(t.Context(), admin, "card.paid", in)
		return err
	}
	forced := first
	forced.Force = true
	restore := func() {
		t.Helper()
		if err := put(forced); err != nil {
			t.Fatal(err)
		}
	}
	restore()
	if err := put(broken); err != nil {
		t.Error("nobody reads the type:", err)
	}
	restore()
	url, events := "https://example.com/hook", []string{"card.*"}
	if _, _, err := e.CreateEndpoint(t.Context(), admin, tenant, service.EndpointInput{URL: &url, Events: &events}); err != nil {
		t.Fatal(err)
	}
	if err := put(broken); err != nil {
		t.Error("there is no event of the type:", err)
	}
	restore()
	if _, err := e.Publish(t.Context(), admin, tenant, service.Draft{Type: "card.paid", Data: []byte(`{"amount": 1}`)}); err != nil {
		t.Fatal(err)
	}
	if err := put(broken); bellwire.CodeOf(err) != bellwire.CodeBreaking {
		t.Error("a change that breaks readers:", err)
	}
	if err := put(service.EventTypeInput{}); bellwire.CodeOf(err) != bellwire.CodeBreaking {
		t.Error("no schema any more:", err)
	}
	wider := service.EventTypeInput{Schema: []byte(strings.Replace(schemaV1, `"properties": {`, `"properties": {"new": {}, `, 1))}
	if err := put(wider); err != nil {
		t.Error("a new field:", err)
	}
	broken.Force = true
	if err := put(broken); err != nil {
		t.Error("a forced change:", err)
	}
}
