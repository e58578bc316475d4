package limits

import (
	"fmt"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// Bounds on the connections of API clients, and on memory for their requests and answers.
const (
	Connections = 10_000 // of one node, as far as its file descriptors suffice; each costs about 10 KiB

	HeaderBytes          = 32 << 20 // of memory for headers of requests whose caller is not confirmed
	UncountedHeaderBytes = 4 << 10  // of each header: most take less
	HeaderLines          = 256      // of each header: many short ones would take many times their size of memory

	RequestBytes        = 128 << 20 // of all bodies that are being received
	RequestBytesReserve = 16 << 20
	AnswerBytes         = 64 << 20 // of all answers that are being sent
	AnswerBytesReserve  = 8 << 20
	UncountedBytes      = 16 << 10 // of each body and each answer: most are smaller

	// Callers whose share has no room for LargeAnswer get pages of ShortPage, which are mostly not counted. So they can still look
	// up something small, and no large page is read in vain.
	LargeAnswer = 1 << 20
	ShortPage   = UncountedBytes / 2
)

// atTheAPI returns the resources that clients of the API share.
func atTheAPI() []Resource {
	const (
		fair   = "a fair share"
		answer = "429 `rate_limited` with `Retry-After`, before the body is read"
	)
	return []Resource{
		Resource{
			Name: "API connections", Bound: bellwire.Number(Connections) + ", and up to a quarter of the files that the process may open",
			Share:   "half of the idle connections; a tenant's idle connections beyond that are closed first",
			Reserve: "every connection without an authenticated request can be closed for a new one", Order: "those without an authenticated caller are closed first, then idle ones; among them, the least recently used",
			Answer: "the connection is closed",
		},
		Resource{
			Name: "API requests of authenticated callers, in progress", Bound: "one per connection", Share: fair,
			Reserve: "a sixteenth", Order: "none", Answer: answer,
		},
		Resource{
			Name: "Request headers, each beyond " + fmt.Sprint(UncountedHeaderBytes>>10, " KiB of memory"), Bound: fmt.Sprint(HeaderBytes>>20, " MiB; ", HeaderLines, " lines each"),
			Share: "all, until the caller is authenticated; then they count as part of the body", Reserve: "none",
			Order: "the connection whose header began first is closed first", Answer: "the connection is closed; 431 for too many lines",
		},
		Resource{
			Name: "Request bodies, each beyond " + fmt.Sprint(UncountedBytes>>10, " KiB"), Bound: fmt.Sprint(RequestBytes>>20, " MiB"), Share: fair,
			Reserve: fmt.Sprint(RequestBytesReserve>>20, " MiB"), Order: "none", Answer: "429 `rate_limited` with `Retry-After`",
		},
		Resource{
			Name: "Answers being sent, each beyond " + fmt.Sprint(UncountedBytes>>10, " KiB"), Bound: fmt.Sprint(AnswerBytes>>20, " MiB"), Share: fair,
			Reserve: fmt.Sprint(AnswerBytesReserve>>20, " MiB"), Order: "none",
			Answer: fmt.Sprintf("429 `rate_limited` with `Retry-After`; while less than %d MiB is left, pages of lists have about %d KiB", LargeAnswer>>20, ShortPage>>10),
		},
	}
}
