package azakaw

import (
	"errors"
	"net/http"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/httpx"
)

// statuses are those of azakaw's examples, which have 400 for faults of a body.
var statuses = httpx.Statuses(httpx.StatusTable{
	bellwire.CodeInvalid:          http.StatusBadRequest,
	httpx.CodeUnsupportedEncoding: http.StatusBadRequest,
})

// fields maps the core's names of fields to azakaw's.
var fields = map[string]string{
	"url":            "webhookBaseUrl",
	"extra":          "webhookRelativePath",
	"auth.header":    "authSettings.header",
	"auth.key":       "authSettings.apiKey",
	"auth.username":  "authSettings.username",
	"auth.password":  "authSettings.password",
	"retry":          "retryCount",
	"retry.interval": "retryInterval",
}

// messages replaces what the core says of the operator's keys and limits, which azakaw's customers do not know.
var messages = map[bellwire.Code]string{
	bellwire.CodeForbidden: "the token does not permit this operation",
	bellwire.CodeConflict:  "the limit for webhook configurations is reached; delete one first",
}

// fail writes an error in the envelope, with a message for each fault.
func fail(w http.ResponseWriter, _ *http.Request, err *bellwire.Error) {
	status := statuses.Of(err.Code)
	if status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", `Bearer realm="azakaw"`)
	}
	_ = httpx.WriteJSON(w, status, reply{StatusCode: status, Messages: messagesOf(err)}) // cannot fail: the messages are plain text
}

func messagesOf(err *bellwire.Error) []string {
	if message, known := messages[err.Code]; known {
		return []string{message}
	}
	if len(err.Faults) == 0 {
		return []string{textOf(err)}
	}
	texts := make([]string, len(err.Faults))
	for i, fault := range err.Faults {
		texts[i] = textOf(fault)
	}
	return texts
}

func textOf(fault *bellwire.Error) string {
	own, renamed := fields[fault.Field]
	if !renamed || errors.Is(fault, httpx.ErrUnknown) { // an unknown field has the client's own name
		return fault.Text()
	}
	return own + " " + fault.Message
}

// noConfiguration turns a CodeNotFound of the core into an error about the configuration of the path.
func noConfiguration(id string, err error) error {
	if bellwire.CodeOf(err) != bellwire.CodeNotFound {
		return err
	}
	return bellwire.NotFound("webhook configuration", id)
}
