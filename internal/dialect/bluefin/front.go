package bluefin

import (
	"encoding/hex"
	"log/slog"
	"net/http"
	"regexp"
	"strings"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/envelope"
	"github.com/bellwire/bellwire/internal/httpx"
	"github.com/bellwire/bellwire/internal/service"
)

// Prefix is where the management API is: /api/v4.
const Prefix = "api/v4"

// The path parameters, with the vendor's names.
const (
	accountParam = "accountId"
	webhookParam = "webhookID"
	updateParam  = "updateId"
)

// Front returns the management API of webhooks, with the update records that notifications link to. A nil logger
// discards its records.
func (d Dialect) Front(svc *service.Service, log *slog.Logger) http.Handler {
	f := &front{svc: svc, endpoints: svc.ForDialect(Name), publicURL: d.PublicURL, basic: d.Basic}
	routes := httpx.NewFront(log, fail)
	routes.Handle("POST /api/v4/accounts/{accountId}/webhooks", httpx.Authorized(f.authorize, createWebhook, f.create))
	routes.Handle("GET /api/v4/accounts/{accountId}/webhooks", httpx.Authorized(f.authorize, readWebhooks, f.list))
	routes.Handle("GET /api/v4/accounts/{accountId}/webhooks/{webhookID}", httpx.Authorized(f.authorize, readWebhooks, f.get))
	routes.Handle("PATCH /api/v4/accounts/{accountId}/webhooks/{webhookID}", httpx.Authorized(f.authorize, updateWebhook, f.update))
	routes.Handle("DELETE /api/v4/accounts/{accountId}/webhooks/{webhookID}", httpx.Authorized(f.authorize, deleteWebhook, f.delete))
	routes.Handle("GET /api/v4/accounts/{accountId}/account-updater/updates/{updateId}", httpx.Authorized(f.authorize, readUpdates, f.updates))
	return traced(routes)
}

type front struct {
	svc       *service.Service
	endpoints *service.DialectService
	publicURL string
	basic     bool
}

// call is a request of a caller that may make it.
type call struct {
	caller  service.Caller
	account string
	body    []byte
}

// authorize authenticates the caller, and refuses one that lacks the permission in the account of the path.
func (f *front) authorize(r *http.Request, op operation) (*call, error) {
	c, body, err := f.authenticate(r)
	if err != nil {
		return nil, err
	}
	if c, err = f.svc.Within(r.Context(), c, op.scopes...); err != nil {
		return nil, err
	}
	account := r.PathValue(accountParam)
	if err := f.admit(r, c, op.need, account); err != nil {
		return nil, err
	}
	return &call{caller: c, account: account, body: body}, nil
}

// accountForm is the form of the vendor's account ids.
var accountForm = regexp.MustCompile(`^[0-9]{12}$`)

// admit refuses callers that lack the permission in the account. To a customer, other accounts do not exist. A tenant whose
// id does not have the vendor's form can still use its own account.
func (f *front) admit(r *http.Request, c service.Caller, need service.Permission, account string) error {
	if c.Role.OfTenant() && c.Tenant == account {
		return f.svc.Permit(r.Context(), c, need, account)
	}
	if !accountForm.MatchString(account) {
		return bellwire.Invalid(accountParam, "must have 12 digits")
	}
	switch err := f.svc.Permit(r.Context(), c, need, account); {
	case bellwire.CodeOf(err) == bellwire.CodeNotFound:
		return errNoAccount()
	case err != nil:
		return err
	}
	known, err := f.endpoints.HasTenant(r.Context(), c, account)
	if err == nil && !known {
		return errNoAccount()
	}
	return err
}

func (f *front) create(w http.ResponseWriter, r *http.Request, c *call) error {
	in, err := f.parse(r, c)
	if err != nil {
		return err
	}
	wanted, err := in.wanted(nil)
	if err != nil {
		return err
	}
	k, err := f.endpoints.Create(r.Context(), c.caller, c.account, wanted)
	if err != nil {
		return err
	}
	return httpx.WriteJSON(w, http.StatusCreated, show(k))
}

// parse returns the input of a body.
func (f *front) parse(r *http.Request, c *call) (*input, error) {
	body, err := f.endpoints.WithoutReadOnly(r.Context(), c.account, c.body, "id")
	if err != nil {
		return nil, err
	}
	return parseInput(body)
}

func (f *front) list(w http.ResponseWriter, r *http.Request, c *call) error {
	p, err := parsePage(r.URL.Query())
	if err != nil {
		return err
	}
	all, err := f.endpoints.List(r.Context(), c.caller, c.account)
	if err != nil {
		return err
	}
	from, to := p.bounds(len(all))
	shown := make([]webhook, 0, to-from)
	for _, k := range all[from:to] {
		shown = append(shown, show(k))
	}
	p.setHeaders(w.Header(), f.publicURL+"/"+Prefix+"/accounts/"+c.account+"/webhooks", len(all))
	return httpx.WriteJSON(w, http.StatusOK, shown)
}

func (f *front) get(w http.ResponseWriter, r *http.Request, c *call) error {
	k, err := f.endpoints.Get(r.Context(), c.caller, c.account, r.PathValue(webhookParam))
	if err != nil {
		return err
	}
	return httpx.WriteJSON(w, http.StatusOK, show(k))
}

func (f *front) update(w http.ResponseWriter, r *http.Request, c *call) error {
	in, err := f.parse(r, c)
	if err != nil {
		return err
	}
	k, err := f.endpoints.Update(r.Context(), c.caller, c.account, r.PathValue(webhookParam), in.wanted)
	if err != nil {
		return err
	}
	return httpx.WriteJSON(w, http.StatusOK, show(k))
}

func (f *front) delete(w http.ResponseWriter, r *http.Request, c *call) error {
	if _, err := f.endpoints.Delete(r.Context(), c.caller, c.account, r.PathValue(webhookParam), nil); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// updateForm is the form of the vendor's update ids.
var updateForm = regexp.MustCompile(`^aupres_[0-9A-Za-z]{32}$`)

// updates answers with the published update records. It sets the update's id in each record, as the vendor's records have
// it: the publisher cannot know the id.
func (f *front) updates(w http.ResponseWriter, r *http.Request, c *call) error {
	id := r.PathValue(updateParam)
	if !updateForm.MatchString(id) {
		return bellwire.Invalid(updateParam, "must be %s and 32 letters or digits", updatePrefix)
	}
	event, err := f.event(r, c, id)
	if err != nil {
		return err
	}
	members, err := envelope.Object(Name, event.Data)
	if err != nil {
		return bellwire.NotFound("update", id)
	}
	records, found := updates(members)
	if !found {
		return bellwire.NotFound("update", id)
	}
	quoted := []byte(`"` + id + `"`) // its characters need no escapes
	if err := httpx.Charge(w, len(event.Data)); err != nil {
		return err
	}
	return httpx.WriteBody(w, http.StatusOK, envelope.AppendElements(nil, records, func(dst, record []byte) []byte {
		return envelope.AppendWith(dst, record, updateIDMember, quoted)
	}))
}

// event returns the event of an update. The update's id is "aupres_" and the number of the event.
func (f *front) event(r *http.Request, c *call, id string) (*bellwire.Event, error) {
	digits := strings.TrimPrefix(id, updatePrefix)
	var number bellwire.EventID
	if _, err := hex.Decode(number[:], []byte(digits)); err != nil || digits != strings.ToLower(digits) {
		return nil, bellwire.NotFound("update", id)
	}
	event, err := f.svc.Event(r.Context(), c.caller, c.account, number)
	if err != nil {
		return nil, err
	}
	if event.Type != accountUpdates {
		return nil, bellwire.NotFound("update", id)
	}
	return event, nil
}
