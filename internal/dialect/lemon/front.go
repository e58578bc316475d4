package lemon

import (
	"cmp"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/httpx"
	"github.com/bellwire/bellwire/internal/service"
)

// Prefix is the first segment of the API's paths.
const Prefix = "v1"

// The headers that say who asks for the data, and why.
const (
	principalHeader     = "LMG-Data-Privacy-Access-Principal"
	justificationHeader = "LMG-Data-Privacy-Access-Justification"
)

// Front returns the management API, and in the sandbox the call that creates accounts. A nil logger discards its records.
func (Dialect) Front(svc *service.Service, log *slog.Logger) http.Handler {
	f := &front{svc: svc, endpoints: svc.ForDialect(Name).Recorded()}
	routes := httpx.NewFront(log, fail)
	routes.Handle("POST /v1/webhooks", httpx.Authorized(f.authorize, service.Change, f.create))
	routes.Handle("GET /v1/webhooks", httpx.Authorized(f.authorize, service.Read, f.list))
	routes.Handle("DELETE /v1/webhooks/{id}", httpx.Authorized(f.authorize, service.Change, f.delete))
	routes.Handle("GET /v1/events", httpx.Authorized(f.authorize, service.Read, f.events))
	if svc.Sandbox() {
		routes.Handle("POST /v1/accounts", httpx.Authorized(f.authorize, service.Change, f.createAccount))
	}
	return routes
}

type front struct {
	svc       *service.Service
	endpoints *service.DialectService
}

// call is a request of a caller that may make it.
type call struct {
	service.Caller
	note service.AuditNote
}

// authorize authenticates the caller, refuses one that lacks the permission, and reads who asks for the data and why.
func (f *front) authorize(r *http.Request, need service.Permission) (*call, error) {
	c, err := f.authenticate(r)
	if err != nil {
		return nil, err
	}
	if err := httpx.Confirm(r, c.Owner()); err != nil {
		return nil, err
	}
	if err := f.svc.PermitOwn(r.Context(), c, need); err != nil {
		return nil, err
	}
	note := service.AuditNote{Tenant: c.Tenant}
	if note.Principal, err = declared(r, principalHeader); err != nil {
		return nil, err
	}
	if note.Justification, err = declared(r, justificationHeader); err != nil {
		return nil, err
	}
	return &call{Caller: c, note: note}, inHeader(note.Check())
}

// record writes the request to the audit log. Handlers call it once the request itself is checked, and before they show or
// change anything.
func (f *front) record(r *http.Request, c *call) error {
	return f.svc.Record(r.Context(), c.Caller, c.note)
}

func (f *front) authenticate(r *http.Request) (service.Caller, error) {
	key, err := httpx.Bearer(r)
	if err != nil {
		if len(r.Header.Values("Authorization")) > 1 {
			return service.Caller{}, err // "No API key found" would mislead
		}
		return service.Caller{}, bellwire.Wrap(bellwire.CodeUnauthenticated, err, messageNoKey)
	}
	return f.svc.Authenticate(r.Context(), key)
}

// declared returns the text of a header that callers must send.
func declared(r *http.Request, header string) (string, error) {
	values, given := r.Header[http.CanonicalHeaderKey(header)]
	texts := make([]string, len(values))
	for i, value := range values {
		texts[i] = decoded(value)
	}
	text := strings.Join(texts, ", ") // RFC 9110, 5.3
	field := "header." + header
	switch {
	case !given:
		return "", bellwire.Invalid(field, messageRequired)
	case text == "":
		return "", bellwire.Invalid(field, "must not be empty")
	}
	return text, nil
}

// decoded returns a header's value as text. A value that is not UTF-8 is read as ISO 8859-1, which HTTP once prescribed (RFC
// 9110, 5.5) and many clients still send: each byte is the code point of its character.
func decoded(value string) string {
	if utf8.ValidString(value) {
		return value
	}
	characters := make([]rune, len(value))
	for i := range len(value) {
		characters[i] = rune(value[i])
	}
	return string(characters)
}

func (f *front) create(w http.ResponseWriter, r *http.Request, c *call) error {
	var in webhookInput
	body, err := httpx.ReadBody(r, httpx.MaxSmallBody)
	if err != nil {
		return inBody(err)
	}
	if body, err = f.endpoints.WithoutReadOnly(r.Context(), c.Tenant, body, "id", "signature_secret"); err != nil {
		return err
	}
	if err := httpx.ParseJSON(body, &in); err != nil {
		return inBody(err)
	}
	wanted, err := in.wanted()
	if err != nil {
		return inBody(err)
	}
	wanted.Accepted = func() error { return f.record(r, c) }
	k, err := f.endpoints.Create(r.Context(), c.Caller, c.Tenant, wanted)
	if err != nil {
		return inBody(err)
	}
	return httpx.WriteJSON(w, http.StatusCreated, show(k))
}

// webhookPlace is the content of a cursor: the last webhook that was listed. The id breaks ties of the time.
type webhookPlace struct {
	Tenant string `json:"tenant"`
	At     int64  `json:"at"` // microseconds since 1970
	ID     string `json:"id"`
	Limit  int    `json:"limit"`
}

func placeOf(k *service.EndpointView) webhookPlace {
	return webhookPlace{At: k.CreatedAt.UnixMicro(), ID: k.ID}
}

func (p webhookPlace) compare(q webhookPlace) int {
	return cmp.Or(cmp.Compare(p.At, q.At), strings.Compare(p.ID, q.ID))
}

// list answers with the webhooks, oldest first.
func (f *front) list(w http.ResponseWriter, r *http.Request, c *call) error {
	from, err := readWebhookPlace(r.URL.RawQuery)
	if err != nil {
		return err
	}
	if from.ID != "" && from.Tenant != c.Tenant {
		return errCursor()
	}
	if err := f.record(r, c); err != nil {
		return err
	}
	all, err := f.endpoints.List(r.Context(), c.Caller, c.Tenant)
	if err != nil {
		return err
	}
	all = slices.DeleteFunc(all, func(k *service.EndpointView) bool { return placeOf(k).compare(from) <= 0 })
	slices.SortFunc(all, func(a, b *service.EndpointView) int { return placeOf(a).compare(placeOf(b)) })
	answer := page[webhook]{Data: []webhook{}}
	for _, k := range all[:min(len(all), from.Limit)] {
		answer.Data = append(answer.Data, show(k))
	}
	if len(all) > from.Limit {
		next := placeOf(all[from.Limit-1])
		next.Limit, next.Tenant = from.Limit, c.Tenant
		if answer.Pagination.NextCursor, err = makeCursor(next); err != nil {
			return err
		}
	}
	return httpx.WriteJSON(w, http.StatusOK, answer)
}

func readWebhookPlace(query string) (webhookPlace, error) {
	var from webhookPlace
	given, err := parameters(query, "cursor", "limit")
	if err != nil {
		return from, err
	}
	if text, ok := given["cursor"]; ok {
		if err := readCursor(text, &from); err != nil {
			return from, err
		}
	}
	from.Limit, err = limitOf(given, from.Limit)
	return from, err
}

func (f *front) delete(w http.ResponseWriter, r *http.Request, c *call) error {
	if err := f.record(r, c); err != nil {
		return err
	}
	_, err := f.endpoints.Delete(r.Context(), c.Caller, c.Tenant, r.PathValue("id"), nil)
	if bellwire.CodeOf(err) == bellwire.CodeNotFound {
		return bellwire.Wrap(bellwire.CodeNotFound, err, "Webhook not found")
	}
	if err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}
