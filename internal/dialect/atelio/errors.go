package atelio

import (
	"net/http"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/httpx"
)

// codeNoWebhook says that there is no webhook of the id in the path.
const codeNoWebhook bellwire.Code = "no_webhook"

// problem is an error on the wire.
type problem struct {
	Message string
	Status  int
	Code    string
	Type    string
}

// The words of Atelio's dictionary of errors that have a use here.
const (
	authError      = "auth_err"
	inputError     = "input_error"
	invalidRequest = "invalid_request"
	webhooksError  = "webhooks_err"
	serverError    = "server_error"

	ofRequest = "Request Error"
	ofServer  = "Server Error"
)

// problems is the table from code to status and words. Who is not known is forbidden too: Atelio has no 401.
var problems = map[bellwire.Code]problem{
	bellwire.CodeMalformed:        {Status: http.StatusBadRequest, Code: invalidRequest},
	bellwire.CodeInvalid:          {Status: http.StatusBadRequest, Code: inputError},
	bellwire.CodeUnauthenticated:  {Status: http.StatusForbidden, Code: authError},
	bellwire.CodeForbidden:        {Status: http.StatusForbidden, Code: authError},
	codeNoWebhook:                 {Status: http.StatusNotFound, Code: webhooksError},
	bellwire.CodeNotFound:         {Status: http.StatusNotFound, Code: invalidRequest},
	bellwire.CodeConflict:         {Status: http.StatusBadRequest, Code: webhooksError},
	bellwire.CodeTooLarge:         {Status: http.StatusRequestEntityTooLarge, Code: invalidRequest},
	bellwire.CodeCanceled:         {Status: http.StatusRequestTimeout, Code: invalidRequest},
	httpx.CodeMethodNotAllowed:    {Status: http.StatusMethodNotAllowed, Code: invalidRequest},
	httpx.CodeUnsupportedEncoding: {Status: http.StatusUnsupportedMediaType, Code: invalidRequest},
	bellwire.CodeRateLimited:      {Status: http.StatusTooManyRequests, Code: invalidRequest},
	bellwire.CodeStale:            {Status: http.StatusServiceUnavailable, Code: serverError},
	bellwire.CodeUnavailable:      {Status: http.StatusServiceUnavailable, Code: serverError},
	bellwire.CodeNoSpace:          {Status: http.StatusServiceUnavailable, Code: serverError},
}

// fail writes an error with Atelio's four members.
func fail(w http.ResponseWriter, _ *http.Request, err *bellwire.Error) {
	p, known := problems[err.Code]
	if !known {
		p = problem{Status: http.StatusInternalServerError, Code: serverError}
	}
	p.Type = ofRequest
	if p.Status >= http.StatusInternalServerError {
		p.Type = ofServer
	}
	p.Message = err.Message
	if err.Field != "" {
		p.Message = err.Field + ": " + p.Message
	}
	_ = httpx.WriteJSON(w, p.Status, p) // it has nothing that could fail
}

// noWebhook says of what was not found that it is the webhook. The id is the path's: what a client sent comes back bounded.
func noWebhook(id string, err error) error {
	if bellwire.CodeOf(err) != bellwire.CodeNotFound {
		return err
	}
	return bellwire.Errorf(codeNoWebhook, "Webhook %.64s does not exist.", id)
}
