package azakaw

import (
	"errors"
	"net/http"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/httpx"
)

// statuses is the table from code to HTTP status.
var statuses = httpx.Statuses(httpx.StatusTable{bellwire.CodeInvalid: http.StatusBadRequest})

// fields are the members in azakaw's words that the service has other names for.
var fields = map[string]string{
	"url":            "webhookBaseUrl",
	"auth.header":    "authSettings.header",
	"auth.key":       "authSettings.apiKey",
	"auth.username":  "authSettings.username",
	"auth.password":  "authSettings.password",
	"retry":          "retryCount",
	"retry.interval": "retryInterval",
}

// fail writes an error in the envelope.
func fail(w http.ResponseWriter, _ *http.Request, err *bellwire.Error) {
	message := err.Message
	if field := err.Field; field != "" {
		if own, other := fields[field]; other && !errors.Is(err, httpx.ErrUnknown) { // which names what was sent
			field = own
		}
		message = field + ": " + message
	}
	status := statuses.Of(err.Code)
	if status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", `Bearer realm="azakaw"`)
	}
	_ = httpx.WriteJSON(w, status, reply{StatusCode: status, Messages: []string{message}}) // it has nothing that could fail
}

// noConfiguration says of what was not found that it is the configuration, which is what azakaw calls an endpoint.
func noConfiguration(id string, err error) error {
	if bellwire.CodeOf(err) != bellwire.CodeNotFound {
		return err
	}
	return bellwire.NotFound("webhook configuration", id)
}
