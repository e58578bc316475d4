package httpx

import (
	"context"
	"errors"
	"math"
	"net/http"
	"strconv"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// AsError returns the *bellwire.Error to respond with. Other errors become CodeInternal, with a message that reveals nothing, and
// with err as the cause to be logged.
func AsError(err error) *bellwire.Error {
	var known *bellwire.Error
	switch {
	case errors.As(err, &known):
		if known.Code == bellwire.CodeInternal {
			return bellwire.Wrap(bellwire.CodeInternal, err, internalMessage)
		}
		return known
	case errors.Is(err, context.Canceled):
		return bellwire.Wrap(bellwire.CodeCanceled, err, "the request was canceled")
	case errors.Is(err, context.DeadlineExceeded):
		return bellwire.Wrap(bellwire.CodeUnavailable, err, "the server did not answer in time; try again")
	}
	return bellwire.Wrap(bellwire.CodeInternal, err, internalMessage)
}

const internalMessage = "an internal error occurred; report it with the id of the request"

// RetryAfter sets the header Retry-After (RFC 9110, 10.2.3), in whole seconds and at least one.
func RetryAfter(h http.Header, wait time.Duration) {
	h.Set("Retry-After", strconv.Itoa(retrySeconds(wait)))
}

func retrySeconds(wait time.Duration) int { return max(1, int(math.Ceil(wait.Seconds()))) }
