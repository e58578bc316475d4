package atelio

import (
	"net/http"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/httpx"
)

// codeNoWebhook is the code of an error about a webhook that does not exist, as opposed to a path.
const codeNoWebhook bellwire.Code = "no_webhook"

// statuses are Atelio's: it has no 401, no 415 and no 422.
var statuses = httpx.Statuses(httpx.StatusTable{
	httpx.CodeUnsupportedEncoding: http.StatusBadRequest,
	bellwire.CodeInvalid:          http.StatusBadRequest,
	bellwire.CodeUnauthenticated:  http.StatusForbidden,
	bellwire.CodeConflict:         http.StatusBadRequest,
	codeNoWebhook:                 http.StatusNotFound,
})

// Codes of Atelio's published dictionary of errors. serverError goes with statuses from 500 on, and invalidRequest with
// all errors that codes does not list.
const (
	authError      = "auth_err"
	inputError     = "input_error"
	invalidRequest = "invalid_request"
	webhooksError  = "webhooks_err"
	serverError    = "server_error"
)

var codes = map[bellwire.Code]string{
	bellwire.CodeInvalid:         inputError,
	bellwire.CodeUnauthenticated: authError,
	bellwire.CodeForbidden:       authError,
	bellwire.CodeConflict:        webhooksError,
	codeNoWebhook:                webhooksError,
}

// messages replaces what the core says of the operator's keys and limits, which Atelio's customers do not know.
var messages = map[bellwire.Code]string{
	bellwire.CodeForbidden: "these credentials do not permit this operation",
	bellwire.CodeConflict:  "the account's limit for webhook subscriptions is reached; delete or shorten one first",
}

// problem is an error on the wire.
type problem struct {
	Message string
	Status  int
	Code    string
	Type    string // "Request Error" or "Server Error"
}

// fail writes an error in Atelio's shape, which has room for one fault.
func fail(w http.ResponseWriter, _ *http.Request, err *bellwire.Error) {
	p := problem{Message: err.Text(), Status: statuses.Of(err.Code), Code: invalidRequest, Type: "Request Error"}
	if code, known := codes[err.Code]; known {
		p.Code = code
	}
	if message, known := messages[err.Code]; known {
		p.Message = message
	}
	if p.Status >= http.StatusInternalServerError {
		p.Code, p.Type = serverError, "Server Error"
	}
	_ = httpx.WriteJSON(w, p.Status, p) // cannot fail: the problem is plain text
}

// noWebhook turns a CodeNotFound of the core into an error about the webhook of the path. The id is cut: it is what the
// client sent.
func noWebhook(id string, err error) error {
	if bellwire.CodeOf(err) != bellwire.CodeNotFound {
		return err
	}
	return bellwire.Errorf(codeNoWebhook, "webhook %.64s does not exist", id)
}
