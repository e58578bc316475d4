package akkuro

import (
	"errors"
	"net/http"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/httpx"
)

// statuses is the table from code to HTTP status. Akkuro has no 409: what contradicts what is there is 422.
var statuses = httpx.Statuses(httpx.StatusTable{
	bellwire.CodeConflict: http.StatusUnprocessableEntity,
	codeNotAcceptable:     http.StatusNotAcceptable,
})

// misfits are the ways in which a body is not of the form that is documented: as bad as one that is no JSON.
var misfits = []error{httpx.ErrUnknown, httpx.ErrDuplicate, httpx.ErrMissing, httpx.ErrNull, httpx.ErrType}

func statusOf(err *bellwire.Error) int {
	for _, misfit := range misfits {
		if errors.Is(err, misfit) {
			return http.StatusBadRequest
		}
	}
	return statuses.Of(err.Code)
}

// problem is an error on the wire (RFC 7807).
type problem struct {
	Type     string `json:"type"`
	Title    string `json:"title"`
	Status   int    `json:"status"`
	Detail   string `json:"detail"`
	Instance string `json:"instance"`
	TraceID  string `json:"traceId"`
}

// fail writes an error as a problem.
func fail(w http.ResponseWriter, r *http.Request, err *bellwire.Error) {
	detail := err.Message
	switch err.Field {
	case "":
	case "url": // as the service has it
		detail = "uri: " + detail
	default:
		detail = err.Field + ": " + detail
	}
	status := statusOf(err)
	if status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", "Bearer")
	}
	w.Header().Set("Content-Type", "application/problem+json")
	_ = httpx.WriteJSON(w, status, problem{ // it has nothing that could fail
		Type: "about:blank", Title: http.StatusText(status), Status: status, Detail: detail,
		Instance: r.URL.EscapedPath(), TraceID: httpx.RequestID(w),
	})
}
