package bluefin

import (
	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/httpx"
	"github.com/bellwire/bellwire/internal/service"
)

// webhook is one on the wire.
type webhook struct {
	URL   string `json:"url"`
	Event string `json:"event"`
	ID    string `json:"id"`
}

func show(k *service.EndpointView) webhook {
	return webhook{URL: k.URL, Event: k.Events[0], ID: k.ID}
}

// input is a webhook as it is given, to create or to change it: both members are needed.
type input struct {
	URL   httpx.Member[string] `json:"url"`
	Event httpx.Member[string] `json:"event"`
}

func parseInput(body []byte) (*input, error) {
	in := new(input)
	if err := httpx.ParseJSON(body, in); err != nil {
		return nil, err
	}
	if err := httpx.Require("url", in.URL.Given); err != nil {
		return nil, err
	}
	return in, httpx.Require("event", in.Event.Given)
}

// wanted turns a body into what the service is asked for. was is the webhook that it changes, nil if it is new: an event
// that the native API gave it can stay.
func (in *input) wanted(was *service.EndpointView) (service.EndpointInput, error) {
	event := in.Event.Value
	if event != accountUpdates && event != batchSettlement && (was == nil || event != was.Events[0]) {
		return service.EndpointInput{}, bellwire.Invalid("event", "It must be %s or %s.", accountUpdates, batchSettlement)
	}
	return service.EndpointInput{URL: &in.URL.Value, Events: &[]string{event}}, nil
}
