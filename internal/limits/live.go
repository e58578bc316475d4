package limits

import "fmt"

// Bounds on live streams.
const (
	LiveStreams   = 1000 // of one node
	LiveStreamsOf = 100  // of one tenant, or of one operator's key
	LivePerSecond = 200  // attempts in one stream
	LiveTold      = 800  // attempts that a node tells others per second
)

var liveStreams = Resource{
	Name:    "Live streams",
	Bound:   fmt.Sprintf("%d on each node; %d attempts per second in each, and %d of each other node for all; a count of those left out", LiveStreams, LivePerSecond, LiveTold),
	Share:   fmt.Sprintf("a fair share, and %d streams at most, each of which is also a request in progress; an operator's key counts as one tenant; of the attempts of other nodes, a fair share for each tenant that watches", LiveStreamsOf),
	Reserve: "an eighth",
	Order:   "none",
	Answer:  "429 `rate_limited` with `Retry-After`; a stream that is read too slowly leaves out attempts and says how many, and one that is not read for ten seconds is closed",
}
