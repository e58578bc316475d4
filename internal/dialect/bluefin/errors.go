package bluefin

import (
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/google/uuid"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/httpx"
)

// statuses are Bluefin's, which has no 409 and no 415.
var statuses = httpx.Statuses(httpx.StatusTable{
	bellwire.CodeConflict:         http.StatusUnprocessableEntity,
	httpx.CodeUnsupportedEncoding: http.StatusBadRequest,
})

// violation is the body of every error.
type violation struct {
	Message   string  `json:"message"`
	TraceID   string  `json:"traceId"`
	ErrorType string  `json:"errorType"`
	ErrorCode int     `json:"errorCode"`
	Value     *string `json:"value"`
	Source    *string `json:"source"`
	Details   []any   `json:"details"`
}

// The vendor's API reference has two forms of details: itemDetail for the routes of one webhook, and listDetail for those of
// the collection.
type (
	itemDetail struct {
		Detail string `json:"detail"`
		Source string `json:"source"`
	}
	listDetail struct {
		Message string  `json:"message"`
		Source  string  `json:"source"`
		Value   *string `json:"value"` // always null
	}
)

// The errors of the vendor's API reference, by status. badRequest is for statuses that the reference does not have.
var (
	badRequest = violation{
		Message:   "Invalid request. Please check the input parameters and try again.",
		ErrorType: "invalid_request", ErrorCode: 40001, Value: new("Invalid Input"), Source: new("request"),
	}
	unprocessable = violation{
		Message:   "Invalid Input",
		ErrorType: "invalid_request", ErrorCode: 40001, Value: new("The request contained invalid data"), Source: new("request"),
	}
	fault = violation{
		Message:   "Internal Server Error, Retry or call Bluefin support.",
		ErrorType: "internal_server_error", ErrorCode: 40004,
	}
	violations = map[int]violation{
		http.StatusUnauthorized: {
			Message:   "Unauthenticated",
			ErrorType: "authentication", ErrorCode: 40002, Value: new("Authorization"), Source: new("headers"),
		},
		http.StatusForbidden: {
			Message:   "Unauthorized",
			ErrorType: "authorization", ErrorCode: 40003, Value: new("Authorization"), Source: new("headers"),
		},
		http.StatusNotFound:            {Message: "Not Found", ErrorType: "not_found", ErrorCode: 40005},
		http.StatusUnprocessableEntity: unprocessable,
		http.StatusTooManyRequests:     {Message: "Too Many Requests", ErrorType: "invalid_request", ErrorCode: 40001},
		http.StatusInternalServerError: fault,
		http.StatusServiceUnavailable:  fault,
	}
)

// errForeignAccount is the cause of a CodeNotFound that is about the account, not about what belongs to it.
var errForeignAccount = errors.New("the account does not exist, or belongs to another caller")

func errNoAccount() error {
	return bellwire.Wrap(bellwire.CodeNotFound, errForeignAccount, "the account does not exist")
}

// fail writes an error in the vendor's shape.
func fail(w http.ResponseWriter, r *http.Request, err *bellwire.Error) {
	status := statuses.Of(err.Code)
	v, known := violations[status]
	if !known {
		v = badRequest
	}
	v.TraceID, v.Details = httpx.RequestID(w), []any{}
	collection := strings.HasSuffix(r.Pattern, "/webhooks")
	switch status {
	case http.StatusUnauthorized:
		w.Header().Set("WWW-Authenticate", `Hmac realm="bluefin"`) // RFC 9110, 11.6.1
	case http.StatusNotFound:
		v.Value = new(strings.ToValidUTF8(missing(r, err), "\ufffd")) // a path can contain any bytes
		if collection {
			v.Message, v.Source = "The requested entity was not found", new("request")
		}
	case http.StatusInternalServerError, http.StatusServiceUnavailable:
		if collection {
			v.Value, v.Source = new("Server Error"), new("request")
		}
	case http.StatusUnprocessableEntity, http.StatusTooManyRequests:
		v.Details = detailsOf(err, collection)
	}
	_ = httpx.WriteJSON(w, status, v) // cannot fail: the violation is plain text
}

// missing returns the id or the path that does not exist.
func missing(r *http.Request, err *bellwire.Error) string {
	if errors.Is(err, errForeignAccount) {
		return r.PathValue(accountParam)
	}
	for _, param := range []string{webhookParam, updateParam} {
		if id := r.PathValue(param); id != "" {
			return id
		}
	}
	return r.URL.Path
}

// detailsOf returns what is wrong with each field of a request.
func detailsOf(err *bellwire.Error, collection bool) []any {
	faults := err.Faults
	if len(faults) == 0 {
		faults = []*bellwire.Error{err}
	}
	details := make([]any, len(faults))
	for i, fault := range faults {
		source, text := sourceOf(fault), textOf(fault)
		if collection {
			details[i] = listDetail{Message: text, Source: source}
		} else {
			details[i] = itemDetail{Detail: text, Source: source}
		}
	}
	return details
}

// sourceOf returns the vendor's name of the field at fault.
func sourceOf(fault *bellwire.Error) string {
	switch {
	case fault.Field == "":
		return "request"
	case strings.HasPrefix(fault.Field, "events"): // the core's name
		return "event"
	}
	return fault.Field
}

// textOf returns what is wrong, in the vendor's words if the body violates the schema.
func textOf(fault *bellwire.Error) string {
	source := sourceOf(fault)
	violation := func(what string) string { return fmt.Sprintf("Payload schema violation: property %q %s", source, what) }
	switch {
	case fault.Code == bellwire.CodeConflict: // the core's message names a limit of the operator
		return "the limit for webhooks is reached; delete one first"
	case errors.Is(fault, httpx.ErrUnknown):
		return violation("is unsupported")
	case errors.Is(fault, httpx.ErrMissing):
		return violation("is required")
	case errors.Is(fault, httpx.ErrNull):
		return violation("must not be null")
	case errors.Is(fault, httpx.ErrDuplicate):
		return violation("is given twice")
	case errors.Is(fault, httpx.ErrType) && fault.Field != "":
		return violation(fault.Message)
	case fault.Field == "":
		return fault.Message
	}
	return source + " " + fault.Message
}

// traced gives each request a UUID as its id, which is the vendor's form of trace ids. The log has the same id.
func traced(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if id := httpx.RequestID(w); len(id) != len(uuid.UUID{}.String()) || uuid.Validate(id) != nil {
			w.Header().Set(httpx.RequestIDHeader, uuid.NewString())
		}
		next.ServeHTTP(w, r)
	})
}
