package lemon

import (
	"encoding/base64"
	"fmt"
	"strings"

	"github.com/go-json-experiment/json"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/httpx"
	"github.com/bellwire/bellwire/internal/service"
)

// webhook is an endpoint on the wire (lemon.markets guide, section "Register a Webhook").
type webhook struct {
	Events          []string `json:"events"`
	ID              string   `json:"id"`
	SignatureSecret string   `json:"signature_secret"`
	URL             string   `json:"url"`
}

func show(k *service.EndpointView) webhook {
	return webhook{Events: k.Events, ID: k.ID, SignatureSecret: k.Secret, URL: k.URL}
}

// webhookInput is the body of POST /v1/webhooks.
type webhookInput struct {
	URL    httpx.Optional[string]   `json:"url"`
	Events httpx.Optional[[]string] `json:"events"`
}

func (in *webhookInput) wanted() (service.EndpointInput, error) {
	if err := bellwire.Join(httpx.Require("url", in.URL.Given), httpx.Require("events", in.Events.Given)); err != nil {
		return service.EndpointInput{}, err
	}
	for i, name := range in.Events.Value {
		field := fmt.Sprintf("events[%d]", i)
		if strings.HasSuffix(name, "*") {
			return service.EndpointInput{}, bellwire.Invalid(field, "must be the name of one event type; there are no wildcards")
		}
		if bellwire.CheckEventTypeName(name) != nil { // the service would explain wildcards
			return service.EndpointInput{}, bellwire.Invalid(field, "%.64q is not a known event type", name)
		}
	}
	return service.EndpointInput{URL: &in.URL.Value, Events: &in.Events.Value}, nil
}

// page is one page of a list.
type page[T any] struct {
	Data       []T        `json:"data"`
	Pagination pagination `json:"pagination"`
}

type pagination struct {
	NextCursor *string `json:"next_cursor"` // nil on the last page
}

// makeCursor encodes the position at which the next page of a list begins, with the parameters of the list.
func makeCursor(position any) (*string, error) {
	plain, err := json.Marshal(position, json.Deterministic(true))
	if err != nil {
		return nil, bellwire.Wrap(bellwire.CodeInternal, err, "the cursor cannot be encoded")
	}
	return new(base64.RawURLEncoding.EncodeToString(plain)), nil
}

// readCursor decodes a cursor. It refuses any text that makeCursor would not have made.
func readCursor(text string, position any) error {
	plain, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil || json.Unmarshal(plain, position, json.RejectUnknownMembers(true)) != nil {
		return errCursor()
	}
	if again, err := makeCursor(position); err != nil || *again != text {
		return errCursor()
	}
	return nil
}

func errCursor() error {
	return bellwire.Invalid("query.cursor", "must be the next_cursor of an earlier page of this list, unchanged")
}
