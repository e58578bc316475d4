package limits

import (
	"fmt"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// Bounds on what the clients of the API hold: connections, and memory for what they send and are sent.
const (
	Connections = 10_000 // of one node, where there are file descriptors for them; each costs about 10 KiB

	HeaderBytes          = 32 << 20 // of memory for headers of requests whose caller is not confirmed
	UncountedHeaderBytes = 4 << 10  // of each header: most take less
	HeaderLines          = 256      // of each header: many short ones would take many times their size of memory

	RequestBytes        = 128 << 20 // of all bodies that are being received
	RequestBytesReserve = 16 << 20
	AnswerBytes         = 64 << 20 // of all answers that are being sent
	AnswerBytesReserve  = 8 << 20
	UncountedBytes      = 16 << 10 // of each body and each answer: most are smaller
)

// atTheAPI are what clients of the API share.
func atTheAPI() []Resource {
	const (
		halves = "as much as it leaves free: half, where it is alone"
		answer = "429 `rate_limited` with `Retry-After`, before the body is read"
	)
	return []Resource{
		Resource{
			Name: "Connections of the API", Bound: bellwire.Number(Connections) + ", and at most a quarter of the files that the process may open",
			Share:   "half of those that are kept between two requests; a tenant's connections beyond that make room first",
			Reserve: "all that serve no request of a confirmed caller make room for new ones", Order: "those without a confirmed caller make room first, then those between two requests; of each the one that is unused for the longest time",
			Answer: "it is closed",
		},
		Resource{
			Name: "Requests under way, of callers who are confirmed", Bound: "one for each connection", Share: halves,
			Reserve: "a sixteenth", Order: "none: nobody waits", Answer: answer,
		},
		Resource{
			Name: "Headers of requests, each beyond " + fmt.Sprint(UncountedHeaderBytes>>10, " KiB of memory"), Bound: fmt.Sprint(HeaderBytes>>20, " MiB; ", HeaderLines, " lines each"),
			Share: "all, until the caller is confirmed; from then on they count as a part of the body", Reserve: "none",
			Order: "the connection whose header began the longest ago makes room", Answer: "it is closed; 431 for too many lines",
		},
		Resource{
			Name: "Bodies of requests, each beyond " + fmt.Sprint(UncountedBytes>>10, " KiB"), Bound: fmt.Sprint(RequestBytes>>20, " MiB"), Share: halves,
			Reserve: fmt.Sprint(RequestBytesReserve>>20, " MiB"), Order: "none: nobody waits", Answer: "429 `rate_limited` with `Retry-After`",
		},
		Resource{
			Name: "Answers that are being sent, each beyond " + fmt.Sprint(UncountedBytes>>10, " KiB"), Bound: fmt.Sprint(AnswerBytes>>20, " MiB"), Share: halves,
			Reserve: fmt.Sprint(AnswerBytesReserve>>20, " MiB"), Order: "none: nobody waits", Answer: "429 `rate_limited` with `Retry-After`",
		},
	}
}
