package bellwire

import (
	"slices"
	"strings"
	"time"
)

// SessionKind says where a session is used.
type SessionKind string

// The kinds of session.
const (
	SessionConsole SessionKind = "console" // an operator in the console, with the role of the key that made it
	SessionPortal  SessionKind = "portal"  // a person of one tenant in the portal, with capabilities
)

// Session is the access of a person in a browser. It is made with a key, and ends with that key. It contains neither its token nor
// its code.
type Session struct {
	ID   SessionID
	Kind SessionKind
	// Tenant is of a portal session.
	Tenant string
	Key    KeyID // that made it; zero for the configured admin key
	// KeyCheck tells whether the configured admin key is still the one that made the session; nil for other keys.
	KeyCheck     []byte
	Role         Role         // of a console session
	Capabilities Capabilities // of a portal session
	Origins      []string     // of the pages that may frame a portal session
	Theme        Theme        // of a portal session

	Token         [32]byte  // SHA-256 of the token; zero until the code is exchanged
	Code          [32]byte  // SHA-256 of the code that can be exchanged for the token, once; zero for none
	CodeExpiresAt time.Time // zero without a code

	CreatedAt  time.Time
	ExpiresAt  time.Time
	LastUsedAt time.Time // to about a minute; zero: never
	Address    string    // of the client that got the token; empty until then
	UserAgent  string    // of that client
}

// Exchanged reports whether the session has a token.
func (s *Session) Exchanged() bool { return s.Token != [32]byte{} }

// Expired reports whether the session has expired at the given time.
func (s *Session) Expired(at time.Time) bool { return !at.Before(s.ExpiresAt) }

// Exchange is the exchange of a session's code for its token.
type Exchange struct {
	Session            SessionID
	Kind               SessionKind
	Code, Token        [32]byte // SHA-256 of each
	At                 time.Time
	Address, UserAgent string
}

// Theme is the look of a portal session.
type Theme struct {
	Accent string // a colour such as #4f46e5; empty: the portal's own
	Mode   string // light, dark or system; empty: system
}

// Capabilities are what a portal session may do.
type Capabilities uint8

// The capabilities.
const (
	CanView       Capabilities = 1 << iota // endpoints, events, deliveries and event types, without secrets
	CanViewSecret                          // the secrets of endpoints
	CanManage                              // create, change and delete endpoints
	CanReplay                              // retry and cancel deliveries, and jobs that do
	CanTest                                // test and probe endpoints

	AllCapabilities = CanView | CanViewSecret | CanManage | CanReplay | CanTest
)

// CapabilityNames are the names of the capabilities, in their order.
var CapabilityNames = []string{"view", "view_secret", "manage", "replay", "test"}

// ParseCapabilities returns the capabilities of the given names. Its error has CodeInvalid for an unknown one.
func ParseCapabilities(names []string) (Capabilities, error) {
	var all Capabilities
	for _, name := range names {
		i := slices.Index(CapabilityNames, name)
		if i < 0 {
			return 0, Invalid("capabilities", "must contain only %s", OneOf(CapabilityNames))
		}
		all |= 1 << i
	}
	return all, nil
}

// Names returns the names of the capabilities.
func (c Capabilities) Names() []string {
	names := []string{}
	for i, name := range CapabilityNames {
		if c&(1<<i) != 0 {
			names = append(names, name)
		}
	}
	return names
}

// String returns the names, separated by spaces.
func (c Capabilities) String() string { return strings.Join(c.Names(), " ") }

// SessionFilter selects sessions.
type SessionFilter struct {
	Kind   SessionKind
	Tenant string    // of portal sessions
	Now    time.Time // only those that have not expired
}
