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

	misfits error // faults of fields that were left out
}

func parseInput(body []byte) (*input, error) {
	in := new(input)
	fits, misfits := httpx.ParseFitting(body, in)
	if !fits {
		return nil, misfits
	}
	in.misfits = misfits
	return in, nil
}

// wanted returns the input for an endpoint. was is the endpoint before the change, nil for a new one: a URL or an event that
// only the native API accepts may stay.
func (in *input) wanted(was *service.EndpointView) (service.EndpointInput, error) {
	urlErr, eventErr := httpx.Require("url", in.URL.Given), httpx.Require("event", in.Event.Given)
	if in.URL.Given && (was == nil || in.URL.Value != was.URL) {
		_, urlErr = destination.NormalizeURL(in.URL.Value)
	}
	event := in.Event.Value
	if in.Event.Given && event != accountUpdates && event != batchSettlement && (was == nil || event != was.Events[0]) {
		eventErr = bellwire.Invalid("event", "must be %s or %s", accountUpdates, batchSettlement)
	}
	err := bellwire.AddFaults(in.misfits, bellwire.Join(urlErr, eventErr))
	return service.EndpointInput{URL: &in.URL.Value, Events: &[]string{event}, Reenable: true}, err
}
