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

// webhook is an endpoint on the wire.
type webhook struct {
	Events          []string `json:"events"`
	ID              string   `json:"id"`
	SignatureSecret string   `json:"signature_secret"`
	URL             string   `json:"url"`
}

func show(k *service.EndpointView) webhook {
	return webhook{Events: k.Events, ID: k.ID, SignatureSecret: k.Secret, URL: k.URL}
}

// webhookInput is a webhook as it is given.
type webhookInput struct {
	URL    httpx.Member[string]   `json:"url"`
	Events httpx.Member[[]string] `json:"events"`
}

func (in *webhookInput) wanted() (service.EndpointInput, error) {
	if err := httpx.Require("url", in.URL.Given); err != nil {
		return service.EndpointInput{}, err
	}
	if err := httpx.Require("events", in.Events.Given); err != nil {
		return service.EndpointInput{}, err
	}
	for i, name := range in.Events.Value {
		if strings.HasSuffix(name, "*") {
			return service.EndpointInput{}, bellwire.Invalid(fmt.Sprintf("events[%d]", i), "There are no wildcards; name each event type.")
		}
	}
	return service.EndpointInput{URL: &in.URL.Value, Events: &in.Events.Value}, nil
}

// page is a part of a list.
type page[T any] struct {
	Data       []T        `json:"data"`
	Pagination pagination `json:"pagination"`
}

type pagination struct {
	NextCursor *string `json:"next_cursor"` // nil: there is no more
}

// makeCursor writes where a list goes on, with all that it was asked for.
func makeCursor(place any) (*string, error) {
	plain, err := json.Marshal(place, json.Deterministic(true))
	if err != nil {
		return nil, bellwire.Wrap(bellwire.CodeInternal, err, "The cursor could not be written.")
	}
	return new(base64.RawURLEncoding.EncodeToString(plain)), nil
}

// readCursor reads what makeCursor has written, and nothing that merely decodes to the same.
func readCursor(text string, place any) error {
	plain, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil || json.Unmarshal(plain, place, json.RejectUnknownMembers(true)) != nil {
		return errCursor()
	}
	if again, err := makeCursor(place); err != nil || *again != text {
		return errCursor()
	}
	return nil
}

func errCursor() error {
	return bellwire.Invalid("query.cursor", "It is not a cursor of this list; take next_cursor of the page before as it is.")
}
