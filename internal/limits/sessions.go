package limits

import (
	"fmt"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// Bounds on sessions in browsers.
const (
	ConsoleSessions = 20   // of one key
	PortalSessions  = 1000 // of one tenant

	ConsoleSessionTime    = 12 * time.Hour
	ConsoleSessionIdle    = 2 * time.Hour
	ConsoleCodeTime       = time.Minute
	PortalSessionTime     = time.Hour // unless it was created with another
	MaxPortalSessionTime  = 24 * time.Hour
	MinPortalSessionTime  = time.Minute
	PortalCodeTime        = 10 * time.Minute
	PortalOrigins         = 10 // pages that may frame one session
	SessionUserAgentBytes = 256
)

var sessions = Resource{
	Name:    "Sessions in browsers",
	Bound:   fmt.Sprintf("%d of the console for each operator's key, %s of the portal for each tenant", ConsoleSessions, bellwire.Number(PortalSessions)),
	Share:   "its own sessions",
	Reserve: "not needed",
	Order:   "none",
	Answer:  "none: the oldest session ends",
}
