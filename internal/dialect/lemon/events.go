package lemon

import (
	"net/http"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/envelope"
	"github.com/bellwire/bellwire/internal/httpx"
	"github.com/bellwire/bellwire/internal/service"
)

// events lists the customer's events, byte for byte as they are delivered.
func (f *front) events(w http.ResponseWriter, r *http.Request, c *call) error {
	asked, err := readSearch(r.URL.RawQuery)
	if err != nil {
		return err
	}
	if _, err := asked.After.Key(len(bellwire.EventID{})); asked.After != "" && (err != nil || asked.Tenant != c.Tenant) {
		return errCursor()
	}
	asked.Tenant = c.Tenant
	if err := f.checkType(r, c.Caller, asked.Type); err != nil {
		return err
	}
	if err := f.record(r, c); err != nil {
		return err
	}
	found, err := f.svc.FindEvents(r.Context(), c.Caller,
		bellwire.EventFilter{Tenant: c.Tenant, Type: asked.Type, Since: asked.Since, OldestFirst: asked.Oldest},
		asked.matches, bellwire.Page{Limit: asked.Limit, After: asked.After})
	if err != nil {
		return err
	}
	size := 0
	for _, e := range found.Items {
		size += len(e.Data)
	}
	if err := httpx.Charge(w, size); err != nil {
		return err
	}
	body, err := asked.answer(found)
	if err != nil {
		return err
	}
	return httpx.WriteBody(w, http.StatusOK, body)
}

// checkType refuses an event type that does not exist, or is Bellwire's own.
func (f *front) checkType(r *http.Request, c service.Caller, name string) error {
	if name == "" {
		return nil
	}
	if bellwire.IsOperational(name) {
		return errUnknownType()
	}
	_, err := f.svc.EventType(r.Context(), c, name)
	if bellwire.CodeOf(err) == bellwire.CodeNotFound {
		return errUnknownType()
	}
	return err
}

// matches reports whether an event is in the list. Test events are not, because nothing has happened, and neither are
// Bellwire's own and events that this dialect cannot deliver.
func (s *search) matches(e *bellwire.Event) bool {
	if e.Test || bellwire.IsOperational(e.Type) {
		return false
	}
	members, err := envelope.Object(Name, e.Data)
	if err != nil {
		return false
	}
	for key, want := range s.Context {
		value, _ := envelope.Find(members, key)
		if text, ok := envelope.Text(value); !ok || text != want {
			return false
		}
	}
	return true
}

// answer returns the body of a page.
func (s *search) answer(found *bellwire.List[*bellwire.Event]) ([]byte, error) {
	body := []byte(`{"data":[`)
	for i, e := range found.Items {
		if i > 0 {
			body = append(body, ',')
		}
		body = appendEvent(body, e)
	}
	body = append(body, `],"pagination":{"next_cursor":`...)
	if found.Next == "" {
		return append(body, `null}}`...), nil
	}
	next := *s
	next.After = found.Next
	cursor, err := makeCursor(next)
	if err != nil {
		return nil, err
	}
	return append(append(append(body, '"'), *cursor...), `"}}`...), nil
}
