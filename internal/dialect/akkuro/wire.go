package akkuro

import (
	"time"

	"github.com/bellwire/bellwire/internal/httpx"
	"github.com/bellwire/bellwire/internal/service"
)

// endpoint is an endpoint on the wire (Akkuro guide, section "Register a new endpoint").
type endpoint struct {
	ID        string `json:"id"`
	EventName string `json:"eventName"`
	CreatedOn string `json:"createdOn"`
	Token     string `json:"token"`
	URI       string `json:"uri"`
}

// createdOn has up to seven digits without trailing zeros, as .NET writes them.
const createdOn = "2006-01-02T15:04:05.9999999Z"

func show(k *service.EndpointView) endpoint {
	return endpoint{
		ID: k.ID, EventName: k.Events[0], CreatedOn: formatCreatedOn(k.CreatedAt), Token: k.Secret, URI: k.URL,
	}
}

func formatCreatedOn(at time.Time) string { return at.UTC().Format(createdOn) }

// secret is the answer to a request for the token.
type secret struct {
	Token string `json:"token"`
}

// input is the body of POST and PUT.
type input struct {
	URI httpx.Optional[string] `json:"uri"`
}

func parse(body []byte) (*input, error) {
	in := new(input)
	if err := httpx.ParseJSON(body, in); err != nil {
		return nil, err
	}
	return in, httpx.Require("uri", in.URI.Given)
}
