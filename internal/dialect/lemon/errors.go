package lemon

import (
	"errors"
	"net/http"
	"strings"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/httpx"
)

// codeNoSandboxEvent is the code of an error about a sandbox that lacks the event type it publishes.
const codeNoSandboxEvent bellwire.Code = "no_sandbox_event"

// statuses are the vendor's: 400 for a request of the wrong form, and 422 for one that breaks a rule.
var statuses = httpx.Statuses(httpx.StatusTable{
	bellwire.CodeInvalid:          http.StatusBadRequest,
	httpx.CodeUnsupportedEncoding: http.StatusBadRequest,
	bellwire.CodeConflict:         http.StatusUnprocessableEntity,
	codeNoSandboxEvent:            http.StatusUnprocessableEntity,
})

// Messages of the vendor's API reference.
const (
	messageNoKey      = "No API key found in request"
	messageRequired   = "Field required"
	messageUnexpected = "An unexpected error occurred"
)

// messages replaces what the core says of the operator's keys and limits, which the vendor's customers do not know.
var messages = map[bellwire.Code]string{
	bellwire.CodeForbidden: "the API key does not permit this operation",
	bellwire.CodeConflict:  "the limit for webhooks is reached; delete one first",
}

// failure is the body of every error.
type failure struct {
	Message string `json:"message"`
}

// fail writes an error in the vendor's shape, which has room for one fault.
func fail(w http.ResponseWriter, _ *http.Request, err *bellwire.Error) {
	status := statuses.Of(err.Code)
	if status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", `Bearer realm="lemon"`)
	}
	_ = httpx.WriteJSON(w, status, failure{messageOf(status, err)}) // cannot fail: the message is text, and too short to be charged
}

// maxLocation bounds how many bytes of a client's own field name a message repeats.
const maxLocation = 128

func messageOf(status int, err *bellwire.Error) string {
	if message, known := messages[err.Code]; known {
		return message
	}
	switch {
	case status >= http.StatusInternalServerError:
		return messageUnexpected
	case status == http.StatusBadRequest && err.Field != "":
		at := err.Field
		if len(at) > maxLocation {
			at = at[:maxLocation] + "…"
		}
		return "Error in '" + strings.ToValidUTF8(at, "?") + "': " + err.Message
	}
	return err.Text()
}

// inBody returns an error about a field of the body as one about the vendor's location of it, such as "body.events.1".
func inBody(err error) error {
	var known *bellwire.Error
	if !errors.As(err, &known) || statuses.Of(known.Code) != http.StatusBadRequest {
		return err
	}
	at, message := "body", known.Message
	if known.Field != "" {
		at += "." + strings.NewReplacer("[", ".", "]", "").Replace(known.Field)
	}
	if errors.Is(known, httpx.ErrMissing) {
		message = messageRequired
	}
	return &bellwire.Error{Code: known.Code, Field: at, Message: message, Err: known}
}

// inHeader returns an error about an audit note as one about the header that the text came in.
func inHeader(err error) error {
	var known *bellwire.Error
	if !errors.As(err, &known) || known.Code != bellwire.CodeInvalid {
		return err
	}
	header := principalHeader
	if known.Field == "justification" {
		header = justificationHeader
	}
	return &bellwire.Error{Code: known.Code, Field: "header." + header, Message: known.Message, Err: known}
}
