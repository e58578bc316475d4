package bellwire

import (
	"hash/fnv"
	"log/slog"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// EndpointStatus says whether an endpoint receives deliveries.
type EndpointStatus string

// The states of an endpoint.
const (
	EndpointEnabled  EndpointStatus = "enabled"
	EndpointPaused   EndpointStatus = "paused"   // its deliveries are kept for later
	EndpointDisabled EndpointStatus = "disabled" // it receives only tests, and other open deliveries are canceled
)

// Ordering is the order in which an endpoint receives its deliveries.
type Ordering string

// The orderings. With OrderingFIFO, a delivery is sent only after the one before it has ended. With OrderingKey, that holds among
// the deliveries of events with the same ordering key.
const (
	OrderingNone Ordering = "none"
	OrderingFIFO Ordering = "fifo"
	OrderingKey  Ordering = "key"
)

// Ordered reports whether an endpoint with this ordering keeps an order.
func (o Ordering) Ordered() bool { return o == OrderingFIFO || o == OrderingKey }

// Signing selects the signature schemes of the standard dialect.
type Signing string

// The signing schemes.
const (
	SigningHMAC    Signing = "hmac"
	SigningEd25519 Signing = "ed25519"
	SigningBoth    Signing = "both"
)

// OnError says what happens to an event for which an endpoint's filter has no answer.
type OnError string

// The choices. Nothing is lost with OnErrorDeliver, which is the default.
const (
	OnErrorDeliver OnError = "deliver"
	OnErrorSkip    OnError = "skip"
)

// DefaultMaxInFlight is the default of endpoints in all dialects.
const DefaultMaxInFlight = 64

// DefaultAutoDisableAfter is the default of endpoints in dialects that are managed by Bellwire's own API alone.
const DefaultAutoDisableAfter = 120 * time.Hour

// Endpoint is a tenant's URL with its subscriptions and delivery settings.
type Endpoint struct {
	ID          string
	Tenant      string
	URL         string
	Description string
	Dialect     string
	Events      []string // patterns: an exact name, or a prefix that ends with *
	Filter      string   // a CEL expression that events of these types must match; empty for none
	OnError     OnError
	Retry       RetryPolicy
	RateLimit   float64 // events per second; 0 for no limit
	MaxInFlight int
	Timeout     time.Duration // of an attempt, from DNS to the last byte of the response
	// AutoDisableAfter is how long attempts must have failed before the endpoint is disabled; see Health.MustDisable. 0: never.
	AutoDisableAfter time.Duration
	Ordering         Ordering
	Signing          Signing
	Status           EndpointStatus
	// StatusReason says why it is paused or disabled, as Bellwire or the request has said; empty if the request has not.
	StatusReason string
	Metadata     map[string]string
	// Extra holds settings that are specific to the dialect, such as azakaw's relative path.
	Extra map[string]string
	// Catalogue is the operator's revision at its creation, and Versions are the versions that were chosen since, by event type.
	// The endpoint gets each other type in the version that was the newest at Catalogue; see At.
	Catalogue int64
	Versions  map[string]Version
	Sealed    []byte // Credentials, sealed for the store
	CreatedAt time.Time
	UpdatedAt time.Time
	Revision  int64 // incremented by each change
	Deleted   bool  // a tombstone, kept while deliveries refer to it
}

// At returns the operator's revision at which the version of an event type that the endpoint gets was the newest.
func (ep *Endpoint) At(eventType string) int64 {
	if v, chosen := ep.Versions[eventType]; chosen {
		return v.Since
	}
	return ep.Catalogue
}

// VersionNumbers returns the numbers of Versions.
func (ep *Endpoint) VersionNumbers() map[string]int {
	numbers := make(map[string]int, len(ep.Versions))
	for name, v := range ep.Versions {
		numbers[name] = v.Of()
	}
	return numbers
}

// GetsOlder reports whether the endpoint may get an event in an older version than that in which it was published.
func (ep *Endpoint) GetsOlder(e *Event) bool {
	return e.Version.Since > 0 && e.Version.Since > ep.At(e.Type)
}

// Credentials are the secret parts of an endpoint. They are stored only in sealed form.
type Credentials struct {
	Secrets []Secret // newest first; older ones sign until they expire
	Auth    Auth
	Headers []Header // sent with each delivery, in this order
}

// Secret is what deliveries are signed with, in the form of the endpoint's dialect.
type Secret struct {
	Value      string    // the shared secret
	PrivateKey string    `json:",omitempty"` // the ed25519 key, "whsk_" and base64; empty if none
	ExpiresAt  time.Time `json:",omitzero"`  // zero if it does not expire
	// Imported means that another system made the secret, in a form that the dialect does not give to its own.
	Imported bool `json:",omitempty"`
}

// Signs reports whether the secret signs at the given time, which must be before it expires.
func (s *Secret) Signs(at time.Time) bool { return s.ExpiresAt.IsZero() || at.Before(s.ExpiresAt) }

// CheckEndpointID refuses ids that are not [A-Za-z0-9_-]{1,64}.
func CheckEndpointID(id string) error {
	if !isName(id, 64, "_-") {
		return Invalid("id", `must have 1 to 64 characters, each of A-Z, a-z, 0-9, "_" or "-"`)
	}
	return nil
}

// String and LogValue keep credentials out of logs and error texts in which they are printed by mistake.
func (Credentials) String() string       { return Redacted }
func (Credentials) LogValue() slog.Value { return slog.StringValue(Redacted) }
func (Secret) String() string            { return Redacted }
func (Secret) LogValue() slog.Value      { return slog.StringValue(Redacted) }
func (Auth) String() string              { return Redacted }
func (Auth) LogValue() slog.Value        { return slog.StringValue(Redacted) }

// Header is one HTTP header.
type Header struct {
	Name  string
	Value string
}

// AuthType is how Bellwire authenticates to an endpoint, in addition to the signature.
type AuthType string

// The types of authentication.
const (
	AuthNone   AuthType = "none"
	AuthAPIKey AuthType = "api_key" // Key in the header named Header
	AuthBasic  AuthType = "basic"   // Username and Password
	AuthBearer AuthType = "bearer"  // Token
)

// Auth is an endpoint's authentication. Only the fields of its type are set.
type Auth struct {
	Type     AuthType
	Header   string `json:",omitempty"`
	Key      string `json:",omitempty"`
	Username string `json:",omitempty"`
	Password string `json:",omitempty"`
	Token    string `json:",omitempty"`
}

// HeaderName returns the name of the header that the authentication sets, empty if none.
func (a Auth) HeaderName() string {
	switch a.Type {
	case AuthAPIKey:
		return a.Header
	case AuthBasic, AuthBearer:
		return "Authorization"
	}
	return ""
}

// Shards is the number of hash slots that endpoints are spread over. It never changes.
const Shards = 256

// ShardOf returns the shard of an endpoint.
func ShardOf(endpoint string) int {
	h := fnv.New32a()
	h.Write([]byte(endpoint))
	return int(h.Sum32() % Shards)
}

// MaxURLLength is the maximum length of an endpoint's URL, in bytes.
const MaxURLLength = 2083

// badPorts are ports that browsers refuse (WHATWG Fetch, "bad port"), because an HTTP request can have an effect in the
// protocols that use them. The harmless small services below 20 are left out.
var badPorts = []int{
	20, 21, 22, 23, 25, 37, 42, 43, 53, 69, 77, 79, 87, 95, 101, 102, 103, 104,
	109, 110, 111, 113, 115, 117, 119, 123, 135, 137, 139, 143, 161, 179, 389, 427, 465, 512, 513, 514, 515,
	526, 530, 531, 532, 540, 548, 554, 556, 563, 587, 601, 636, 989, 990, 993, 995, 1719, 1720, 1723, 2049,
	3659, 4045, 4190, 5060, 5061, 6000, 6566, 6665, 6666, 6667, 6668, 6669, 6679, 6697, 10080,
}

// CheckURL refuses a URL that an endpoint cannot have. Whether its address may be reached is decided when it is dialed.
func CheckURL(raw string) error {
	if len(raw) > MaxURLLength {
		return Invalid("url", "must have at most %s bytes, but has %s", Number(MaxURLLength), Number(len(raw)))
	}
	u, err := url.Parse(raw)
	switch {
	case err != nil || u.Scheme != "http" && u.Scheme != "https":
		return Invalid("url", "must be an absolute http or https URL, such as https://example.com/hooks")
	case u.User != nil:
		return Invalid("url", "must not contain a user name or password")
	case u.Hostname() == "":
		return Invalid("url", "must name a host")
	case u.Fragment != "":
		return Invalid("url", "must not have a fragment, which would never be sent")
	case strings.ContainsFunc(u.RawQuery, func(r rune) bool { return r <= ' ' || r > '~' }):
		// Paths are escaped when they are sent, but queries are sent unchanged, and a request line cannot contain these.
		return Invalid("url", "must not have spaces or non-ASCII characters in its query; escape them, such as a space as %%20")
	}
	if port := u.Port(); port != "" {
		n, err := strconv.Atoi(port)
		if err != nil || n < 1 || n > 65535 {
			return Invalid("url", "must have a port between 1 and 65535")
		}
		if slices.Contains(badPorts, n) {
			return Invalid("url", "must not have the port %d, which belongs to another protocol", n)
		}
	}
	return nil
}
