package httpx

import (
	"maps"
	"net/http"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// StatusTable maps error codes to the HTTP statuses of a front end.
type StatusTable map[bellwire.Code]int

// usual are the statuses that most front ends answer with.
var usual = StatusTable{
	bellwire.CodeMalformed:       http.StatusBadRequest,
	bellwire.CodeInvalid:         http.StatusUnprocessableEntity,
	bellwire.CodeUnauthenticated: http.StatusUnauthorized,
	bellwire.CodeForbidden:       http.StatusForbidden,
	bellwire.CodeNotFound:        http.StatusNotFound,
	bellwire.CodeConflict:        http.StatusConflict,
	bellwire.CodeStale:           http.StatusServiceUnavailable,
	bellwire.CodePrecondition:    http.StatusPreconditionFailed,
	bellwire.CodeBreaking:        http.StatusConflict,
	bellwire.CodeTooLarge:        http.StatusRequestEntityTooLarge,
	bellwire.CodeRateLimited:     http.StatusTooManyRequests,
	bellwire.CodeUnavailable:     http.StatusServiceUnavailable,
	bellwire.CodeNoSpace:         http.StatusServiceUnavailable,
	bellwire.CodeCanceled:        http.StatusRequestTimeout,
	bellwire.CodeInternal:        http.StatusInternalServerError,
	CodeMethodNotAllowed:         http.StatusMethodNotAllowed,
	CodeUnsupportedEncoding:      http.StatusUnsupportedMediaType,
}

// Statuses returns the usual statuses, with those of a front end that answers otherwise.
func Statuses(own StatusTable) StatusTable {
	table := maps.Clone(usual)
	maps.Copy(table, own)
	return table
}

// Of returns the status of a code: 500 for one that is not in the table.
func (t StatusTable) Of(code bellwire.Code) int {
	if status, ok := t[code]; ok {
		return status
	}
	return http.StatusInternalServerError
}
