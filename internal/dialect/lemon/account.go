package lemon

import (
	"fmt"
	"net/http"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/envelope"
	"github.com/bellwire/bellwire/internal/httpx"
	"github.com/bellwire/bellwire/internal/service"
)

// accountCreated is the event type that the sandbox publishes.
const accountCreated = "account.created"

// accountInput is the body of a request for an account, as far as the sandbox checks it.
type accountInput struct {
	Customer           httpx.Optional[jsontext.Value]    `json:"customer"`
	AcceptedAgreements httpx.Optional[[]agreementInput]  `json:"accepted_agreements"`
	OwnAccount         httpx.Optional[bool]              `json:"declaration_of_acting_on_own_account"`
	Metadata           httpx.Optional[map[string]string] `json:"metadata"`
}

type agreementInput struct {
	AgreementID         httpx.Optional[string]    `json:"agreement_id"`
	AcceptedAt          httpx.Optional[time.Time] `json:"accepted_at"`
	LegalRepresentative httpx.Optional[string]    `json:"legal_representative"`
}

// account is a new account on the wire. The vendor's API reference has its fields.
type account struct {
	ID                string            `json:"id"`
	CashAccount       *string           `json:"cash_account"`
	Customer          jsontext.Value    `json:"customer"`
	OwnAccount        bool              `json:"declaration_of_acting_on_own_account"`
	History           []statusChange    `json:"history"`
	SecuritiesAccount *string           `json:"securities_account"`
	Status            string            `json:"status"`
	Metadata          map[string]string `json:"metadata"`
	Agreements        []agreement       `json:"agreements"`
}

type statusChange struct {
	Status    string `json:"status"`
	Timestamp string `json:"timestamp"`
}

type agreement struct {
	Agreement  string    `json:"agreement"`
	AcceptedAt time.Time `json:"accepted_at"`
	Person     string    `json:"person"`
}

// createAccount answers as the platform does after it has created an account, and publishes the event. The sandbox does not
// store the account: the personal data goes into the response only.
func (f *front) createAccount(w http.ResponseWriter, r *http.Request, c *call) error {
	var in accountInput
	if err := httpx.DecodeJSON(r, httpx.MaxSmallBody, &in); err != nil {
		return inBody(err)
	}
	created, err := in.account(time.Now())
	if err != nil {
		return inBody(err)
	}
	if err := f.record(r, c); err != nil {
		return err
	}
	_, err = f.endpoints.Trigger(r.Context(), c.Caller, c.Tenant, service.Draft{
		Type: accountCreated, Data: []byte(`{"account":"` + created.ID + `"}`),
	})
	if bellwire.CodeOf(err) == bellwire.CodeInvalid {
		return bellwire.Wrap(codeNoSandboxEvent, err, "the sandbox does not have the event type %s", accountCreated)
	}
	if err != nil {
		return err
	}
	return httpx.WriteJSON(w, http.StatusOK, created)
}

func (in *accountInput) account(now time.Time) (*account, error) {
	if err := in.check(); err != nil {
		return nil, err
	}
	customer, person, err := customerOf(in.Customer.Value, now)
	if err != nil {
		return nil, err
	}
	const status = "created"
	a := &account{
		ID: newID("cusa_", now), Customer: customer, OwnAccount: in.OwnAccount.Value, Status: status,
		History: []statusChange{{status, string(appendTime(nil, now))}}, Metadata: in.Metadata.Value,
	}
	for _, accepted := range in.AcceptedAgreements.Value {
		a.Agreements = append(a.Agreements, agreement{accepted.AgreementID.Value, accepted.AcceptedAt.Value, person})
	}
	return a, nil
}

// check refuses an account that lacks a required field.
func (in *accountInput) check() error {
	for _, required := range []struct {
		name  string
		given bool
	}{
		{"customer", in.Customer.Given},
		{"accepted_agreements", in.AcceptedAgreements.Given},
		{"declaration_of_acting_on_own_account", in.OwnAccount.Given},
	} {
		if err := httpx.Require(required.name, required.given); err != nil {
			return err
		}
	}
	if len(in.AcceptedAgreements.Value) == 0 {
		return bellwire.Invalid("accepted_agreements", "must have at least one entry")
	}
	for i, accepted := range in.AcceptedAgreements.Value {
		if err := accepted.check(i); err != nil {
			return err
		}
	}
	return nil
}

// customerOf returns the customer with an id, and the id. A customer that has one already keeps it.
func customerOf(given jsontext.Value, now time.Time) (customer jsontext.Value, id string, err error) {
	members, err := envelope.Object(Name, given)
	if err != nil || len(members) == 0 {
		return nil, "", bellwire.Invalid("customer", "must be an object with fields")
	}
	if value, found := envelope.Find(members, "id"); found {
		id, text := envelope.Text(value)
		if !text {
			return nil, "", bellwire.Invalid("customer.id", "must be a string")
		}
		return given, id, nil
	}
	id = newID("pers_", now)
	return jsontext.Value(`{"id":"` + id + `",` + string(members) + `}`), id, nil
}

func (in *agreementInput) check(i int) error {
	field := fmt.Sprintf("accepted_agreements[%d].", i)
	if err := httpx.Require(field+"agreement_id", in.AgreementID.Given); err != nil {
		return err
	}
	return httpx.Require(field+"accepted_at", in.AcceptedAt.Given)
}
