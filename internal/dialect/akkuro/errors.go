package akkuro

import (
	"errors"
	"net/http"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/httpx"
)

// statuses are Akkuro's, which has no 409 and no 415.
var statuses = httpx.Statuses(httpx.StatusTable{
	bellwire.CodeConflict:         http.StatusUnprocessableEntity,
	httpx.CodeUnsupportedEncoding: http.StatusBadRequest,
	codeNotAcceptable:             http.StatusNotAcceptable,
})

// malformed are the causes of errors about bodies that do not have the documented form. Their status is 400, as for broken
// JSON: Akkuro's page on errors has 422 for values that cannot be processed.
var malformed = []error{httpx.ErrUnknown, httpx.ErrDuplicate, httpx.ErrMissing, httpx.ErrNull, httpx.ErrType}

func statusOf(err *bellwire.Error) int {
	for _, cause := range malformed {
		if errors.Is(err, cause) {
			return http.StatusBadRequest
		}
	}
	return statuses.Of(err.Code)
}

// messages replaces what the core says of the operator's keys and limits, which Akkuro's customers do not know.
var messages = map[bellwire.Code]string{
	bellwire.CodeForbidden: "the token does not permit this operation",
	bellwire.CodeConflict:  "the limit for webhook endpoints is reached; delete one first",
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
	status := statusOf(err)
	if status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", "Bearer")
	}
	w.Header().Set("Content-Type", "application/problem+json")
	_ = httpx.WriteJSON(w, status, problem{ // cannot fail: the problem is plain text
		Type: "about:blank", Title: http.StatusText(status), Status: status, Detail: detailOf(err),
		Instance: r.URL.EscapedPath(), TraceID: httpx.RequestID(w),
	})
}

func detailOf(err *bellwire.Error) string {
	if message, known := messages[err.Code]; known {
		return message
	}
	if err.Field == "url" { // the core's name
		return "uri " + err.Message
	}
	return err.Text()
}
