package bluefin

import (
	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/destination"
	"github.com/bellwire/bellwire/internal/httpx"
	"github.com/bellwire/bellwire/internal/service"
)

// webhook is a webhook on the wire (Bluefin guide, section "Creating a Webhook").
type webhook struct {
	URL   string `json:"url"`
	Event string `json:"event"`
	ID    string `json:"id"`
}

func show(k *service.EndpointView) webhook {
	return webhook{URL: k.URL, Event: k.Events[0], ID: k.ID}
}

// input is the body of POST and PATCH. Both fields are required.
type input struct {
	URL   httpx.Optional[string] `json:"url"`
	Event httpx.Optional[string] `json:"event"`
}

func parseInput(body []byte) (*input, error) {
	in := new(input)
	if err := httpx.ParseJSON(body, in); err != nil {
		return nil, err
	}
	return in, bellwire.Join(httpx.Require("url", in.URL.Given), httpx.Require("event", in.Event.Given))
}

// wanted returns the input for an endpoint. was is the endpoint before the change, nil for a new one: a URL or an event that
// only the native API accepts may stay.
func (in *input) wanted(was *service.EndpointView) (service.EndpointInput, error) {
	var urlErr, eventErr error
	if was == nil || in.URL.Value != was.URL {
		_, urlErr = destination.NormalizeURL(in.URL.Value)
	}
	event := in.Event.Value
	if event != accountUpdates && event != batchSettlement && (was == nil || event != was.Events[0]) {
		eventErr = bellwire.Invalid("event", "must be %s or %s", accountUpdates, batchSettlement)
	}
	return service.EndpointInput{URL: &in.URL.Value, Events: &[]string{event}}, bellwire.Join(urlErr, eventErr)
}
