package limits

import (
	"fmt"

	"github.com/bellwire/bellwire/internal/bellwire"
)

var idempotentRequests = Resource{
	Name: "Requests with the header `Idempotency-Key`, publishing excepted",
	Bound: fmt.Sprintf("none in all; each is kept for %s with its answer",
		bellwire.Duration(bellwire.RequestWindow)),
	Share:   fmt.Sprintf("%s, with %d MiB of answers; the operator's keys together count as one tenant", bellwire.Number(bellwire.MaxIdempotentRequests), bellwire.MaxAnswerBytes>>20),
	Reserve: "none", Order: "none", Answer: "429 `rate_limited` with `Retry-After`",
}
