package lemon

import (
	"errors"
	"net/http"
	"strings"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/httpx"
)

// statuses is the table from code to HTTP status. What breaks the form of a request is 400, what breaks a rule 422.
var statuses = httpx.Statuses(httpx.StatusTable{
	bellwire.CodeInvalid:  http.StatusBadRequest,
	bellwire.CodeConflict: http.StatusUnprocessableEntity,
})

// The vendor's own messages.
const (
	messageNoKey      = "No API key found in request"
	messageRequired   = "Field required"
	messageUnexpected = "An unexpected error occurred"
)

// failure is the body of every error.
type failure struct {
	Message string `json:"message"`
}

// fail writes an error.
func fail(w http.ResponseWriter, _ *http.Request, err *bellwire.Error) {
	status := statuses.Of(err.Code)
	if status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", `Bearer realm="lemon"`)
	}
	_ = httpx.WriteJSON(w, status, failure{messageOf(status, err)}) // UTF-8 text has a form in JSON
}

// maxLocation is the most bytes that an answer repeats of what a client has called a member or parameter.
const maxLocation = 128

func messageOf(status int, err *bellwire.Error) string {
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
	return err.Message
}

// inBody says of an error about a body's member where it is, in the vendor's way: 'body.events.1'.
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

// inHeader says of an error about what callers must declare which header it is in.
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
