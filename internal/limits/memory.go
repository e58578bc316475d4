package limits

// What the engine has in memory and under way.
const (
	MaxLanes    = 100_000  // endpoints with something in memory, or with an open circuit breaker
	MaxQueued   = 50_000   // deliveries that wait in memory
	MaxMemory   = 64 << 20 // bytes of events, request bodies and results in memory
	TrialsPart  = 2        // one request in so many may be under way to endpoints that are not known to answer
	ByHandPart  = 4        // one in so many may be a test or a manual retry
	MaxByHand   = 4        // tests and manual retries of one endpoint in memory and under way
	ReservePart = 8        // one part in so many of each is for tenants who have nothing yet
)
