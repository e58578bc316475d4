package bellwire

import (
	"context"
	"encoding/base64"
	"slices"
	"time"
)

// Store keeps everything that Bellwire knows. It knows no rules: it does what its verbs say, each
// atomically, and what a verb has answered is on disk. All errors are *Error: CodeNotFound,
// CodeConflict, CodeStale, CodeInvalid (a cursor), CodeNoSpace, CodeUnavailable or CodeInternal.
//
// Ids and times are given by the callers. Times are kept to the microsecond, in UTC.
type Store interface {
	Configuration
	History
	Queue
	Audit
	Secrets

	// Check tells whether the store can read and write.
	Check(ctx context.Context) error
	// Purge deletes up to limit rows that nothing needs any more: of deleted tenants and endpoints, of events that
	// were taken before the given time (zero: none of these) and have nothing to be delivered any more, idempotency
	// keys past their window whose event is gone, and what the audit keeps no longer. It returns how many; 0 means
	// done. What had something to be delivered is looked at again after RetentionReview. A store that keeps events in
	// partitions may keep them until all of a partition is that old, and counts a partition as one row.
	Purge(ctx context.Context, now, before time.Time, limit int) (int, error)
	// Close waits for what is under way and closes the store.
	Close() error
}

// RetentionReview is how long an old event that had something to be delivered is left alone before Purge looks at it
// again. There may be a million of them, behind an endpoint that is paused or dead.
const RetentionReview = time.Hour

// Configuration is the part of a Store that holds what people set up. Lists are newest first. A page ends early once it
// carries MaxPageBytes.
type Configuration interface {
	CreateTenant(ctx context.Context, t *Tenant) error // CodeConflict if the id is taken; sets t.Revision
	Tenant(ctx context.Context, id string) (*Tenant, error)
	Tenants(ctx context.Context, page Page) (*List[*Tenant], error)
	// UpdateTenant replaces the tenant if it is still at t.Revision, CodeStale otherwise, and sets the new revision.
	UpdateTenant(ctx context.Context, t *Tenant) error
	// DeleteTenant deletes the tenant with all it has. Its id can be used again at once; Purge removes what is left.
	DeleteTenant(ctx context.Context, id string, now time.Time) error
	// Usage counts what a tenant has.
	Usage(ctx context.Context, id string) (*Usage, error)
	// CountEvents counts a tenant's events, up to a limit. It reads an index entry for each.
	CountEvents(ctx context.Context, tenant string, limit int) (int, error)

	// CreateKey adds a key. It raises the tenant's revision, or the operator's for a key without tenant.
	CreateKey(ctx context.Context, k *Key) error
	Key(ctx context.Context, id KeyID) (*Key, error)
	// Keys lists the keys of a tenant, or the operator's keys if tenant is empty.
	Keys(ctx context.Context, tenant string, page Page) (*List[*Key], error)
	DeleteKey(ctx context.Context, tenant string, id KeyID) error

	// PutEventType adds or replaces, and tells whether it was added. CreatedAt of a replaced one stays.
	PutEventType(ctx context.Context, t *EventType) (created bool, err error)
	EventType(ctx context.Context, name string) (*EventType, error)
	EventTypes(ctx context.Context, page Page) (*List[*EventType], error)
	DeleteEventType(ctx context.Context, name string) error
	// Catalogue returns all event types, and the operator's revision at which they were read. It grows
	// with every change of an event type or operator key.
	Catalogue(ctx context.Context) (types []*EventType, revision int64, err error)

	// CreateEndpoint adds an endpoint, sets its revision and raises its tenant's. CodeConflict if the id is taken.
	CreateEndpoint(ctx context.Context, ep *Endpoint) error
	// Endpoint finds an endpoint by its id alone; deleted ones too. The caller checks the tenant.
	Endpoint(ctx context.Context, id string) (*Endpoint, error)
	// Endpoints lists a tenant's endpoints that are not deleted.
	Endpoints(ctx context.Context, tenant string, page Page) (*List[*Endpoint], error)
	// UpdateEndpoint replaces the endpoint if it is still at ep.Revision, CodeStale otherwise, and sets
	// the new revision. Its id, tenant and creation stay.
	UpdateEndpoint(ctx context.Context, ep *Endpoint) error
	// DeleteEndpoint leaves a tombstone without secrets.
	DeleteEndpoint(ctx context.Context, tenant, id string, now time.Time) error
	// TenantEndpoints returns a tenant with all its endpoints that are not deleted, read at one revision.
	TenantEndpoints(ctx context.Context, tenant string) (*Tenant, []*Endpoint, error)
	// EndpointsSince returns what has changed among a tenant's endpoints since a revision, read at one state; 0: since
	// there was nothing.
	EndpointsSince(ctx context.Context, tenant string, revision int64) (*EndpointChanges, error)
}

// MaxEndpointChanges is how many changes EndpointsSince returns. If there are more, it returns all that there is.
const MaxEndpointChanges = 1000

// EndpointChanges is what matching and sending need to know of the endpoints of a tenant that have changed.
type EndpointChanges struct {
	Tenant *Tenant
	// Since is the revision after which the changes were made; 0: they are all endpoints that are not deleted.
	Since int64
	// Changed are the endpoints with a later revision, deleted ones too, the last change first, without Description and
	// Metadata. What was deleted may be gone without a trace.
	Changed []*Endpoint
	Living  int // how many endpoints of the tenant are not deleted
}

// Usage is how much a tenant has.
type Usage struct {
	Keys          int
	Endpoints     int // that are not deleted
	Configuration int // bytes of these endpoints as they are stored
}

// History is the part of a Store that people look things up in. Lists are newest first. A page ends early once it carries
// MaxPageBytes.
type History interface {
	Event(ctx context.Context, tenant string, id EventID) (*Event, error)
	// Digests returns the digests of what was published with publishers' ids, without those that nothing was published with.
	Digests(ctx context.Context, tenant string, idempotencyKeys []string) (map[string][32]byte, error)
	// Events lists events. Its cursors are those of EventCursor.
	Events(ctx context.Context, f EventFilter, page Page) (*List[*Event], error)
	Delivery(ctx context.Context, tenant string, id DeliveryID) (*Delivery, error)
	Deliveries(ctx context.Context, f DeliveryFilter, page Page) (*List[*Delivery], error)
	// Attempts returns the newest limit attempts of a delivery, oldest first, or fewer: the newest that MaxPageBytes hold.
	Attempts(ctx context.Context, id DeliveryID, limit int) ([]*Attempt, error)
}

// Audit is the part of a Store that remembers who asked for what.
type Audit interface {
	// AppendAudit adds an entry, or counts the request in the entry of its equals. CodeRateLimited: the tenant has perDay
	// new entries of that day already (0: as many as it likes); nothing is kept then.
	AppendAudit(ctx context.Context, e *AuditEntry, perDay int) error
	// AuditEntries lists what was asked of a tenant, or of all if tenant is empty, newest first.
	AuditEntries(ctx context.Context, tenant string, page Page) (*List[*AuditEntry], error)
	// UseNonce notes that a key has signed a request with a nonce. CodeConflict: it did so before. The nonce is
	// remembered until the given time at least.
	UseNonce(ctx context.Context, key KeyID, nonce string, until time.Time) error
}

// Secrets is the part of a Store that knows which keyset its secrets were sealed with, and can have them sealed anew.
type Secrets interface {
	// Witness returns the sealed value that shows which keyset the database's secrets were sealed
	// with, after storing the given one if there was none.
	Witness(ctx context.Context, sealed []byte) ([]byte, error)
	// ReplaceWitness replaces it; CodeStale if it is not old any more.
	ReplaceWitness(ctx context.Context, old, sealed []byte) error
	// SealedSecrets lists up to limit sealed secrets in a fixed order, from the one after the given one on; nil: from the
	// start. None means that there are no more.
	SealedSecrets(ctx context.Context, after *SealedSecret, limit int) ([]*SealedSecret, error)
	// ReplaceSecrets puts Anew in the place of Sealed. A secret that is not Sealed any more stays as it is. No revision
	// changes, as the secrets are the same. It returns how many it replaced.
	ReplaceSecrets(ctx context.Context, secrets []*SealedSecret) (int, error)
}

// SealedSecret is the sealed credentials of an endpoint, or the sealed secret of a key.
type SealedSecret struct {
	Endpoint string // empty: it is a key's
	Key      KeyID
	Sealed   []byte
	Anew     []byte // the same, sealed anew
}

// Owner names what the secret belongs to.
func (s *SealedSecret) Owner() string {
	if s.Endpoint != "" {
		return s.Endpoint
	}
	return s.Key.String()
}

// EventFilter chooses events. Tenant is required; other zero members choose all.
type EventFilter struct {
	Tenant string
	Type   string
	Since  time.Time // taken at or after, to the millisecond
	Until  time.Time // taken before
	// OldestFirst turns the list around.
	OldestFirst bool
}

// EventCursor returns the cursor of a list of events that goes on after the given one, in either direction.
func EventCursor(id EventID) Cursor { return MakeCursor(id[:]) }

// DeliveryFilter chooses deliveries. Tenant is required; other zero members choose all.
type DeliveryFilter struct {
	Tenant   string
	Endpoint string
	Event    EventID
	Status   DeliveryStatus
}

// Queue is the part of a Store that the engine drives: what is to be delivered, and what came of it.
//
// A delivery belongs to an endpoint, an endpoint to a shard (ShardOf), and a shard to the node that
// leases it, in an epoch that grows with each change of owner. A delivery whose epoch is not its
// shard's current one is free to be claimed; one taken into memory carries the current epoch.
type Queue interface {
	// RenewLeases makes the node known, keeps what it holds and takes its share of free shards. CodeConflict: another
	// process has taken the node's name, and all its shards with it.
	RenewLeases(ctx context.Context, node string) (*Leases, error)
	// HandOver gives away shards of the node in which nothing is under way any more. A leaving node gets no others.
	HandOver(ctx context.Context, node string, shards []int, leaving bool) error
	// ReleaseLeases gives all shards of the node away and forgets it.
	ReleaseLeases(ctx context.Context, node string) error
	// Watch calls f with what other nodes did, until ctx ends. A store for one node returns nil at once.
	Watch(ctx context.Context, f func(Notification)) error

	// AppendEvents stores all appends in one transaction. Each event of a tenant gets a time of its own: the one it comes
	// with, or a microsecond after the tenant's last one if that is later. So the times of a tenant's events grow
	// strictly in the order in which they are stored, whichever node stores them and whatever its clock says. Deliveries
	// keep the time that their event came with. An append that is refused by itself (CodeStale,
	// CodeConflict, CodeNotFound for its tenant) says so in its result and leaves no trace; the others go
	// ahead. An error of the whole means that nothing was stored, or with CodeUnavailable that nobody
	// knows: it is safe to repeat the same appends with the same ids.
	//
	// An event that comes with Recipients is stored with the list, and its deliveries are left to FanOut. While a tenant has
	// deliveries left to it, so are those of each of its events that has one with an order: numbers are given in the order
	// of publication.
	AppendEvents(ctx context.Context, appends []*Append) ([]AppendResult, error)
	// FanOut stores up to limit of the deliveries that AppendEvents has left to it, of one of the tenants that are this
	// node's by its leases. Tenants take turns, and of each the event that was stored first comes first. What is stored is
	// free, and is stored once, whoever else calls FanOut.
	FanOut(ctx context.Context, leases *Leases, limit int) (*FannedOut, error)

	// DueEndpoints returns each endpoint of the leased shards that has something free to be claimed, deleted
	// ones too. Its cost grows with the endpoints it returns, not with their deliveries.
	DueEndpoints(ctx context.Context, leases *Leases) ([]DueEndpoint, error)
	// ClaimDue takes free deliveries into memory: for each claim first the retries by hand, then what is due
	// at now, by due time, or in order for ordered endpoints, where one that is not due holds up the rest. Deliveries of
	// the same event share it: Claimed.Event is the same pointer. What is returned as skipped was left for the next time,
	// because those before it have used up MaxClaimBytes.
	ClaimDue(ctx context.Context, now time.Time, claims []Claim) ([]ClaimResult, error)
	// ReleaseDeliveries gives back what was taken into memory and not attempted.
	ReleaseDeliveries(ctx context.Context, taken []ClaimToken) error
	// RecordOutcomes inserts the attempts, always, and moves the deliveries on: a success whatever their
	// state; anything else only if the delivery is open and still taken in the result's epoch.
	RecordOutcomes(ctx context.Context, results []*Result) ([]Recorded, error)

	// RequestRetry notes that a delivery is to be attempted at once, whatever its state, so that ClaimDue
	// finds it as manual. It returns the delivery.
	RequestRetry(ctx context.Context, tenant string, id DeliveryID) (*Delivery, error)
	// CancelDelivery ends an open delivery; CodeConflict if it is not open.
	CancelDelivery(ctx context.Context, tenant string, id DeliveryID, reason string, now time.Time) (*Delivery, error)
	// CancelOpen ends up to limit open deliveries, taken or free, of an endpoint that is disabled or deleted, and
	// returns how many; CodeStale if it is neither any more;
	// fewer than limit means that none is left. Of a deleted endpoint it forgets what was asked for by hand too, which
	// counts as one each.
	CancelOpen(ctx context.Context, endpoint, reason string, now time.Time, limit int) (int, error)

	// ExpireOpen ends as exhausted what is on an endpoint's schedule, free, and too old. It returns how many; fewer than
	// the limit means that none is left.
	ExpireOpen(ctx context.Context, now time.Time, x Expiry) (int, error)

	// Backlog counts open deliveries and tells since when the longest waiting one has been due. It may be
	// estimated from indexes, and costs at most a bounded scan.
	Backlog(ctx context.Context) (*Backlog, error)
}

// Outbox is the part of those stores in whose database other programs publish, inside transactions of their own. What
// they have committed is taken for good, and waits to be matched: AppendEvents stores it with its deliveries.
type Outbox interface {
	// Unmatched returns events that wait to be matched, of the tenants that are this node's by its leases: for each
	// tenant the next few in their order, one tenant after the other, but for some tenants none. They keep their ids and
	// times.
	Unmatched(ctx context.Context, leases *Leases, but []string) ([]Unmatched, error)
	// DeferUnmatched puts an event aside that cannot be matched now, so that it holds up nobody behind it. Unmatched
	// returns it again after the wait.
	DeferUnmatched(ctx context.Context, id EventID, problem string, wait time.Duration) error
	// Attend tells publishers that they need not wake the node while it calls Unmatched every few milliseconds.
	Attend(ctx context.Context, node string, during time.Duration) error
	// LimitEvents sets the most bytes that the data of an event published inside the database may have.
	LimitEvents(ctx context.Context, bytes int) error
}

// Unmatched is an event that waits to be matched.
type Unmatched struct {
	Event *Event
	Again bool // it was deferred: it has lost its place in the order
}

// Leases are the shards that a node owns: for each shard the epoch, 0 where it is not owned.
type Leases struct {
	Epochs [Shards]int64
	// Surplus are those of them that another node is to have: to be handed over once nothing in them is under way.
	Surplus []int
	// Taken are those of them that this renewal has taken, by where they came from.
	Taken []Takeover
	// Term is how long they hold from when RenewLeases was called, unless renewed; 0: for ever.
	Term time.Duration
}

// Takeover is shards that a node has taken.
type Takeover struct {
	Shards int
	From   string // the node that had them before; empty: none
	Why    TakeoverReason
}

// TakeoverReason is why shards were free.
type TakeoverReason string

// The reasons to take shards.
const (
	TakeoverUnowned   TakeoverReason = "unowned"     // nobody had them
	TakeoverHanded    TakeoverReason = "handed_over" // their node gave them away
	TakeoverExpired   TakeoverReason = "expired"     // their node has not renewed its leases for a term
	TakeoverRestarted TakeoverReason = "restarted"   // an earlier process of the node's name had them, or a renewal without an answer
)

// Epoch returns the epoch in which the endpoint's shard is owned, 0 if it is not.
func (l *Leases) Epoch(endpoint string) int64 { return l.Epochs[ShardOf(endpoint)] }

// Notification is what a node learns of another.
type Notification struct {
	Endpoints     []string // these have something new to claim
	Tenant        string   // its configuration changed; empty: none
	Configuration bool     // the operator's configuration changed
	Unmatched     bool     // events were published inside the database
	FanOut        bool     // deliveries were left to FanOut
	Leases        bool     // renewing leases brings something new: shards were given away, or nodes came or went
	Missed        bool     // there may have been more, of which nobody told
}

// Append is one or more events that are stored together or not at all.
type Append struct {
	Events []*NewEvent
	// TenantRevision and OperatorRevision are those of the configuration that was looked at. The append
	// is refused with CodeStale at any other. 0: it does not matter. Then an endpoint may have been deleted since; a
	// delivery to it is stored like others.
	TenantRevision   int64
	OperatorRevision int64
	// MaxWaiting is how many deliveries the tenant may have left to FanOut. The append is refused with CodeRateLimited if it
	// would leave more, and the tenant has some waiting already. 0: any number.
	MaxWaiting int
}

// NewEvent is an event with the deliveries that it was matched to.
type NewEvent struct {
	Event      Event
	Digest     [32]byte // SHA-256 of type and data, looked at only with an idempotency key
	Deliveries []NewDelivery
	// Recipients are who gets the event, in place of Deliveries, where they are many. Events of one append with the same
	// recipients have the same pointer: a store keeps the list once for those that follow each other.
	Recipients *Recipients
	// Unmatched: it is one of Outbox.Unmatched, and is not any more once it is stored. If another node was faster, it is
	// answered as a duplicate.
	Unmatched bool
}

// Count returns how many deliveries the event has.
func (e *NewEvent) Count() int {
	if e.Recipients != nil {
		return len(*e.Recipients)
	}
	return len(e.Deliveries)
}

// Ordered reports whether the event has a delivery that gets a number.
func (e *NewEvent) Ordered() bool {
	return slices.ContainsFunc(e.Deliveries, func(d NewDelivery) bool { return d.Ordered })
}

// Recipients are the endpoints that get an event, each once.
type Recipients []Recipient

// Recipient is an endpoint that gets an event.
type Recipient struct {
	Endpoint string
	Ordered  bool // its delivery gets the endpoint's next number
}

// RecipientsOf returns who gets deliveries.
func RecipientsOf(deliveries []NewDelivery) *Recipients {
	r := make(Recipients, len(deliveries))
	for i, d := range deliveries {
		r[i] = Recipient{Endpoint: d.Endpoint, Ordered: d.Ordered}
	}
	return &r
}

// FannedOut is what FanOut has stored.
type FannedOut struct {
	Tenant     string   // whose they are
	Deliveries int      // 0: nothing waits for this node
	Endpoints  []string // those that have something new to claim
}

// NewDelivery is a delivery to be stored with its event.
type NewDelivery struct {
	ID       DeliveryID // DeliveryOf its event, with a number of its own
	Endpoint string
	Epoch    int64 // the shard's epoch if it was taken into memory at once; 0: free
	Ordered  bool  // give it the next number of its endpoint
	Manual   bool  // a test: claimed as manual, and outside any schedule
}

// AppendResult is what became of an Append.
type AppendResult struct {
	Err    error // why this append alone was refused; nil if it is stored
	Stale  Stale // what has to be read again before it is repeated; not zero if and only if Err has CodeStale
	Events []AppendedEvent
}

// Stale names the parts of the configuration that have changed since an Append was decided on them.
type Stale struct {
	Tenant    bool // the tenant's configuration is not at Append.TenantRevision
	Catalogue bool // the operator's configuration, with the event types, is not at Append.OperatorRevision
}

// AppendedEvent is what became of one event.
type AppendedEvent struct {
	ID         EventID   // the first event's id, if Duplicate
	Duplicate  bool      // the publisher's id was known, with the same type and data: nothing was stored
	CreatedAt  time.Time // of the stored event; zero if Duplicate
	Deliveries int       // how many the stored event has
	Sequences  []int64   // the numbers given to the deliveries, 0 for those not ordered; nil if Duplicate or Deferred
	Deferred   bool      // its deliveries are left to FanOut
}

// DueEndpoint is an endpoint with something to claim.
type DueEndpoint struct {
	Endpoint string
	Tenant   string    // whose it is
	At       time.Time // when the first free delivery of the schedule is due; zero: there is none
	Manual   bool      // there are retries by hand
}

// Claim asks for an endpoint's due deliveries.
type Claim struct {
	Endpoint string
	Epoch    int64 // of its shard; the store refuses nothing, but marks what it hands out
	Limit    int   // how many at most, retries by hand not counted; 0: retries by hand only
	// ManualLimit is how many retries by hand at most.
	ManualLimit int
	MaxBytes    int // of event data: at these, nothing more is taken, but for one retry by hand and one of the schedule
	Ordered     bool
}

// MaxClaimBytes is how much event data one ClaimDue takes: publishers wait for it. Once it has as much, it skips the
// claims that are left. An event that several deliveries are of counts once.
const MaxClaimBytes = 2 << 20

// ClaimResult is what was claimed for an endpoint.
type ClaimResult struct {
	Skipped bool // nothing was looked at: claim again
	Manual  []Claimed
	Due     []Claimed
	// Next is when the next free delivery of the schedule is due; zero: there is none.
	Next time.Time
	// NextSequence is the number that the next ordered delivery will get.
	NextSequence int64
}

// Expiry asks that deliveries on an endpoint's schedule be ended because they are too old.
type Expiry struct {
	Endpoint string
	Epoch    int64     // of its shard: what is taken in it is not free
	Before   time.Time // older ones are ended, to the millisecond
	Reason   string
	Limit    int
}

// Claimed is a delivery taken into memory, with its event.
type Claimed struct {
	Delivery Delivery
	Event    *Event
}

// ClaimToken names a delivery in memory and the epoch it was taken in.
type ClaimToken struct {
	Delivery DeliveryID
	Epoch    int64
	Manual   bool // taken as a retry by hand
}

// Result is what came of trying to deliver.
type Result struct {
	Attempt    *Attempt // nil: no request could be made
	Delivery   DeliveryID
	Trigger    Trigger
	Epoch      int64 // in which the delivery was taken
	Transition Transition
	EndedAt    time.Time
	// Disable asks that the endpoint be disabled with the transition's reason, if it is still at EndpointRevision.
	// If it is not, Otherwise is made of the delivery instead: what was sent to is not there any more.
	Disable          bool
	Endpoint         string
	EndpointRevision int64
	Otherwise        Transition
	// WholeAttempts is how many attempts of the delivery are kept with their details, by DroppedAttempt; 0: all of them.
	WholeAttempts int
}

// Recorded is what the store made of a Result.
type Recorded struct {
	Status   DeliveryStatus // of the delivery now
	Moved    bool           // the transition was made
	DueAt    time.Time      // if that is DeliveryRetrying: when the next attempt is due
	Disabled bool           // the endpoint was disabled
}

// Backlog tells how much is open.
type Backlog struct {
	Open   int
	Oldest time.Time // when the longest waiting one became due; zero: nothing is due
	FanOut int       // those of the open ones that are left to FanOut

	Unmatched       int       // events that were published inside the database and wait to be matched
	OldestUnmatched time.Time // when the first of them was published; zero: there is none
}

// MaxPageBytes is how much a page of any list carries before it ends, with a cursor, short of its limit: of events their
// data, of others what they take as JSON. So 250 events of a megabyte each never have to be in memory at once.
const MaxPageBytes = 4 << 20

// Page asks for a part of a list.
type Page struct {
	Limit int    // the most that it has
	After Cursor // where the page before it ended; empty: from the start
}

// List is a part of a list.
type List[T any] struct {
	Items []T
	Next  Cursor // empty: there is no more
}

// Cursor is a place in a list, opaque to everyone but the store that made it.
type Cursor string

// MakeCursor wraps a store's key.
func MakeCursor(key []byte) Cursor {
	return Cursor(base64.RawURLEncoding.EncodeToString(key))
}

// Key unwraps a store's key of the given size. Its error has CodeInvalid.
func (c Cursor) Key(size int) ([]byte, error) {
	key, err := base64.RawURLEncoding.Strict().DecodeString(string(c))
	if err != nil || len(key) != size || MakeCursor(key) != c { // the decoder passes over line breaks
		return nil, Invalid("cursor", "must be the next_cursor of the page before, unchanged")
	}
	return key, nil
}
