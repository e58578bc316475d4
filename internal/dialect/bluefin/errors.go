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

// statuses is the table from code to HTTP status. The vendor declares 400, 401, 403, 404, 422 and 500 only.
var statuses = httpx.Statuses(httpx.StatusTable{bellwire.CodeConflict: http.StatusUnprocessableEntity})

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

// What details are made of: itemDetail at the routes of one thing, listDetail at those of a collection.
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

// What the vendor says of each status, and of those that it does not declare.
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

// errForeignAccount is the cause of a CodeNotFound that is about the account, and not about what it has.
var errForeignAccount = errors.New("there is no such account, or it is another's")

func errNoAccount() error {
	return bellwire.Wrap(bellwire.CodeNotFound, errForeignAccount, "There is no such account.")
}

// fail writes an error. The vendor's routes of a collection and those of one thing differ in details.
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
		v.Value = new(strings.ToValidUTF8(missing(r, err), "\ufffd")) // a path can have any bytes
		if collection {
			v.Message, v.Source = "The requested entity was not found", new("request")
		}
	case http.StatusInternalServerError, http.StatusServiceUnavailable:
		if collection {
			v.Value, v.Source = new("Server Error"), new("request")
		}
	case http.StatusUnprocessableEntity, http.StatusTooManyRequests:
		v.Details = []any{detailOf(err, collection)}
	}
	_ = httpx.WriteJSON(w, status, v) // it has nothing that could fail
}

// missing names what was not found.
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

// detailOf says what is wrong with a request.
func detailOf(err *bellwire.Error, collection bool) any {
	source := err.Field
	if strings.HasPrefix(source, "events") { // the service's word
		source = "event"
	}
	text := err.Message
	for cause, what := range map[error]string{
		httpx.ErrUnknown:   "is unsupported",
		httpx.ErrMissing:   "is required",
		httpx.ErrNull:      "cannot be null",
		httpx.ErrDuplicate: "is there twice",
	} {
		if errors.Is(err, cause) {
			text = fmt.Sprintf("Payload schema violation: property %q %s", source, what)
		}
	}
	if source == "" {
		source = "request"
	}
	if collection {
		return listDetail{Message: text, Source: source}
	}
	return itemDetail{Detail: text, Source: source}
}

// traced makes sure that requests have UUIDs for ids: the vendor's trace ids are. The log has the same.
func traced(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if id := httpx.RequestID(w); len(id) != len(uuid.UUID{}.String()) || uuid.Validate(id) != nil {
			w.Header().Set(httpx.RequestIDHeader, uuid.NewString())
		}
		next.ServeHTTP(w, r)
	})
}
