package bellwire

import (
	"context"
	"encoding/base64"
	"slices"
	"time"
)

// Store persists configuration, events, deliveries, attempts and the audit log. Each method is atomic, and its effects are
// durable when it returns. All errors are *Error: CodeNotFound, CodeConflict, CodeStale, CodeInvalid (a cursor),
// CodeNoSpace, CodeUnavailable or CodeInternal.
//
// A write with the context of a DryRun fails with ErrDryRun.
//
// Callers provide ids and times. Times are kept to the microsecond, in UTC.
type Store interface {
	Configuration
	Sessions
	History
	Queue
	Jobs
	BulkJobs
	Imports
	Operations
	Alerts
	Audit
	Idempotency
	Secrets

	// Check returns an error unless the store can read and write.
	Check(ctx context.Context) error
	// EraseEvent removes the data of an event, its digest, and the details of its attempts, also of those that are recorded later. It
	// cancels the event's open deliveries with ReasonEventErased, and withdraws manual retries. Nothing of the event is delivered any
	// more: RequestRetry and RestartDelivery have CodeConflict, and jobs skip it. CodeConflict: the event waits to be matched, or
	// deliveries of it are deferred to FanOut.
	EraseEvent(ctx context.Context, tenant string, id EventID, e Erasure) (*Erased, error)
	// Purge deletes up to limit rows that are no longer needed: those of deleted tenants and endpoints, of events accepted
	// before the given time (zero: none) that have nothing left to deliver, idempotency keys past their window whose event is
	// gone, expired idempotent requests, expired sessions, expired audit entries, jobs that ended JobRetention ago, and statistics that are older
	// than the store keeps them. It returns the number of deleted rows; 0 means done. Events that had something left to
	// deliver are checked again after RetentionReview. A store that partitions events may keep them until the whole partition
	// is that old, and counts a partition as one row.
	Purge(ctx context.Context, now, before time.Time, limit int) (int, error)
	// Close waits for operations in progress and closes the store.
	Close() error
}

// StoredTime returns a time as a Store keeps it: in UTC, to the microsecond.
func StoredTime(t time.Time) time.Time { return t.UTC().Truncate(time.Microsecond) }

// RetentionReview is how long Purge passes over an old event that had something left to deliver. There may be a million of
// them, behind an endpoint that is paused or dead.
const RetentionReview = time.Hour

// Configuration is the part of a Store that holds tenants, keys, event types and endpoints. Lists are newest first. A page ends
// early at MaxPageBytes.
type Configuration interface {
	CreateTenant(ctx context.Context, t *Tenant) error // CodeConflict if the id is in use; sets t.Revision
	Tenant(ctx context.Context, id string) (*Tenant, error)
	Tenants(ctx context.Context, page Page) (*List[*Tenant], error)
	// OldestTenants is Tenants in the reverse order.
	OldestTenants(ctx context.Context, page Page) (*List[*Tenant], error)
	// UpdateTenant replaces the tenant if it is still at t.Revision, and sets the new revision. Otherwise its error has CodeStale.
	UpdateTenant(ctx context.Context, t *Tenant) error
	// DeleteTenant deletes the tenant with everything it has. Its id can be used again at once. Purge deletes the rows.
	DeleteTenant(ctx context.Context, id string, now time.Time) error
	// DeletedTenant returns the tenant with the id that was deleted last, if Purge has not deleted its rows yet; else nil. It counts
	// up to limit events.
	DeletedTenant(ctx context.Context, id string, limit int) (*DeletedTenant, error)
	// Usage counts what a tenant has.
	Usage(ctx context.Context, id string) (*Usage, error)
	// CountEvents counts a tenant's events, up to a limit. It reads an index entry for each.
	CountEvents(ctx context.Context, tenant string, limit int) (int, error)

	// CreateKey adds a key and raises the tenant's revision, or the operator's for a key without a tenant.
	CreateKey(ctx context.Context, k *Key) error
	Key(ctx context.Context, id KeyID) (*Key, error)
	// KeyByHash returns the key with the SHA-256 of its secret, the newest if there are several.
	KeyByHash(ctx context.Context, hash [32]byte) (*Key, error)
	// Keys lists the keys of a tenant, or the operator's keys if tenant is empty.
	Keys(ctx context.Context, tenant string, page Page) (*List[*Key], error)
	// DeleteKey deletes a key and the sessions that it made.
	DeleteKey(ctx context.Context, tenant string, id KeyID) error

	// StoreKeyUses stores when keys were last used, unless a later time is stored. Keys that do not exist are skipped.
	StoreKeyUses(ctx context.Context, last map[KeyID]time.Time) error

	// PutEventType adds or replaces an event type, and reports whether it was added. A replaced one keeps its CreatedAt.
	PutEventType(ctx context.Context, t *EventType) (created bool, err error)
	// ReplaceEventType replaces an event type if it is still at t.Revision, or adds it if that is 0 and it does not exist.
	// Otherwise its error has CodeStale. With SinceNow, the newest version is of the revision that the change makes.
	ReplaceEventType(ctx context.Context, t *EventType) error
	EventType(ctx context.Context, name string) (*EventType, error)
	EventTypes(ctx context.Context, page Page) (*List[*EventType], error)
	DeleteEventType(ctx context.Context, name string) error
	// CatalogueSince returns the changes of event types since a revision of the operator, read from one snapshot. Since 0 it
	// returns all event types.
	CatalogueSince(ctx context.Context, revision int64) (*CatalogueChanges, error)

	// CreateEndpoint adds an endpoint, sets its revision and Catalogue, and raises its tenant's revision. CodeConflict if the id is in use. Like all
	// changes of an endpoint, it adds a Change to the endpoint's history.
	CreateEndpoint(ctx context.Context, ep *Endpoint, note ChangeNote) error
	// Endpoint returns an endpoint by its id alone, even a deleted one. The caller must check the tenant.
	Endpoint(ctx context.Context, id string) (*Endpoint, error)
	// EndpointsByID returns those of some endpoints that exist, even deleted ones, in any order, without Description and
	// Metadata.
	EndpointsByID(ctx context.Context, ids []string) ([]*Endpoint, error)
	// Endpoints lists endpoints, without deleted ones.
	Endpoints(ctx context.Context, f EndpointFilter, page Page) (*List[*Endpoint], error)
	// Patterns returns the event patterns of up to limit endpoints that are neither deleted nor disabled, of all tenants, those of the
	// newest first.
	Patterns(ctx context.Context, limit int) ([][]string, error)
	// VersionReaders counts the endpoints of all tenants that subscribe to an event type, without deleted ones, by the revision at which
	// the version that they get was the newest.
	VersionReaders(ctx context.Context, eventType string) ([]VersionReaders, error)
	// Health returns the health of endpoints, in their order. It counts up to limit of the deliveries that wait for each. The
	// health of an unknown endpoint is zero.
	Health(ctx context.Context, endpoints []string, limit int) ([]EndpointHealth, error)
	// MostWaiting returns the endpoints for which most deliveries wait, of a tenant, or of all tenants if it is empty: those with
	// most first, and those with greater ids first where equally many wait. It counts up to count deliveries of each, and returns
	// up to limit endpoints. It leaves out deleted endpoints, and those for which nothing waits.
	MostWaiting(ctx context.Context, tenant string, count, limit int) ([]Waiting, error)
	// UpdateEndpoint replaces the endpoint if it is still at ep.Revision, and sets the new revision. Otherwise its error has
	// CodeStale. Id, tenant, creation time and Catalogue do not change. If Restarts says so, the endpoint's health is restarted.
	UpdateEndpoint(ctx context.Context, ep *Endpoint, note ChangeNote) error
	// DeleteEndpoint leaves a tombstone without secrets.
	DeleteEndpoint(ctx context.Context, tenant, id string, now time.Time, note ChangeNote) error
	// EndpointHistory lists the changes of a tenant's endpoint, also of a deleted one: the newest MaxChanges, within
	// MaxHistoryBytes. Of a tenant's deleted endpoints, the MaxDeletedHistories that were deleted last have a history.
	EndpointHistory(ctx context.Context, tenant, endpoint string, page Page) (*List[*Change], error)
	// TenantEndpoints returns a tenant with all its endpoints, without deleted ones, read at one revision.
	TenantEndpoints(ctx context.Context, tenant string) (*Tenant, []*Endpoint, error)
	// EndpointsSince returns the changes of a tenant's endpoints since a revision, read from one snapshot. Since 0 it returns
	// all endpoints.
	EndpointsSince(ctx context.Context, tenant string, revision int64) (*EndpointChanges, error)
}

// Sessions is the part of a Store that holds the sessions of people in browsers. Sessions of deleted tenants do not exist.
type Sessions interface {
	// CreateSession adds a session. The oldest sessions of the same kind and the same tenant, or of the same key for the console,
	// are deleted if there would be more than most. CodeNotFound: the tenant or the key does not exist.
	CreateSession(ctx context.Context, s *Session, most int) error
	// Session returns a session, even an expired one.
	Session(ctx context.Context, id SessionID) (*Session, error)
	// ExchangeSession gives a session its token in exchange for its code, and returns it. CodeNotFound: no session of that kind
	// has this code, or it has expired. CodeConflict: the code was exchanged before.
	ExchangeSession(ctx context.Context, x *Exchange) (*Session, error)
	// Sessions lists sessions, newest first.
	Sessions(ctx context.Context, f SessionFilter, page Page) (*List[*Session], error)
	DeleteSession(ctx context.Context, kind SessionKind, tenant string, id SessionID) error
	// StoreSessionUses stores when sessions were last used, unless a later time is stored. Sessions that do not exist are skipped.
	StoreSessionUses(ctx context.Context, last map[SessionID]time.Time) error
}

// MaxEndpointChanges is the most changes that EndpointsSince returns. If there are more, it returns all endpoints.
const MaxEndpointChanges = 1000

// EndpointChanges are changes of a tenant's endpoints, with what matching and sending need.
type EndpointChanges struct {
	Tenant *Tenant
	// Since is the revision after which the changes were made; 0: Changed has all endpoints that are not deleted.
	Since int64
	// Changed are the endpoints with a later revision, including deleted ones, the latest change first, without Description and
	// Metadata. A deleted endpoint may be missing because Purge has deleted its tombstone.
	Changed []*Endpoint
	Total   int // endpoints of the tenant that are not deleted
}

// CatalogueChanges are changes of event types.
type CatalogueChanges struct {
	Revision int64 // the operator's, which each change of an event type or operator key raises
	// Since is the revision after which the changes were made; 0: Changed has all event types.
	Since   int64
	Changed []*EventType // newest first
}

// Usage counts what a tenant has.
type Usage struct {
	Keys          int
	Endpoints     int // without deleted ones
	Configuration int // bytes of these endpoints as stored
}

// History is the part of a Store that holds events, deliveries and attempts for lookup. Lists are newest first. A page ends
// early at MaxPageBytes.
type History interface {
	Event(ctx context.Context, tenant string, id EventID) (*Event, error)
	// TenantOf returns the tenant of an event, a delivery or a job.
	TenantOf(ctx context.Context, kind Kind, id [16]byte) (string, error)
	// Explain returns an event with the endpoints that its tenant has, and those deleted ones that have a history, newest first.
	// The page is of endpoints. It reads all deliveries of the event, at most MaxDeliveries.
	Explain(ctx context.Context, tenant string, id EventID, page Page) (*Explained, error)
	// EventOutcomes counts what became of some events at the endpoints that have deliveries of them. Of each event it looks at the
	// first deliveries up to a limit. Events without deliveries are left out.
	EventOutcomes(ctx context.Context, ids []EventID, limit int) (map[EventID]*EventOutcomes, error)
	// Digests returns the digests that are stored for idempotency keys. Unknown keys are left out.
	Digests(ctx context.Context, tenant string, idempotencyKeys []string) (map[string][32]byte, error)
	// EventByKey returns the event that was published with an idempotency key.
	EventByKey(ctx context.Context, tenant, key string) (EventID, error)
	// EventsByKey returns the events of all tenants that were published with an idempotency key, those of the newest tenants first,
	// and without their data unless data is set. A page ends early, or is empty, after MaxSearched tenants.
	EventsByKey(ctx context.Context, key string, data bool, page Page) (*List[*Event], error)
	// Events lists events. EventCursor makes its cursors.
	Events(ctx context.Context, f EventFilter, page Page) (*List[*Event], error)
	// AllEvents lists the events of all tenants, newest first, with the same cursors, and without their data unless data is set.
	// f.Tenant and f.OldestFirst are ignored. A page ends early, or is empty, after MaxSearched events.
	AllEvents(ctx context.Context, f EventFilter, data bool, page Page) (*List[*Event], error)
	Delivery(ctx context.Context, tenant string, id DeliveryID) (*Delivery, error)
	// Deliveries lists deliveries. DeliveryCursor makes its cursors.
	Deliveries(ctx context.Context, f DeliveryFilter, page Page) (*List[*Delivery], error)
	// AllDeliveries lists the deliveries of all tenants, with the same cursors. A page ends early, or is empty, where deliveries
	// of deleted tenants follow.
	AllDeliveries(ctx context.Context, page Page) (*List[*Delivery], error)
	// LastAttempts returns the results of the newest attempts of some deliveries. Deliveries without attempts are left out.
	LastAttempts(ctx context.Context, ids []DeliveryID) (map[DeliveryID]AttemptResult, error)
	// Holds returns what holds back deliveries of some endpoints. before has, for each endpoint, the number in its order before
	// which Hold.Ahead is looked for; 0: it has no order. Unknown endpoints are left out. A store for one node answers with an
	// arbitrary name of the node.
	Holds(ctx context.Context, before map[string]int64) (map[string]*Hold, error)
	// FirstOfKeys returns, for each of the given deliveries, the first open delivery with the same ordering key. It leaves out
	// those that wait for no other delivery any more.
	FirstOfKeys(ctx context.Context, behind []*Delivery) (map[DeliveryID]DeliveryID, error)
	// Attempts returns the newest attempts of a delivery, oldest first: at most limit of them, and at most MaxPageBytes.
	Attempts(ctx context.Context, id DeliveryID, limit int) ([]*Attempt, error)
	// Statistics returns the rows of the intervals that begin in the given time, by time. It counts what RollUp has moved. By tenant
	// it leaves deleted ones out. CodeInvalid: that would take more than MaxTenantRows.
	Statistics(ctx context.Context, f StatisticsFilter) ([]StatisticsRow, error)
}

// Audit is the part of a Store that holds the audit log and the nonces of signed requests.
type Audit interface {
	// AppendAudit adds an entry, or counts the request in the entry of equal ones. CodeRateLimited: the tenant has perDay new
	// entries of that day already (0: no limit); then nothing is stored.
	AppendAudit(ctx context.Context, e *AuditEntry, perDay int) error
	// AuditEntries lists entries, newest first.
	AuditEntries(ctx context.Context, f AuditFilter, page Page) (*List[*AuditEntry], error)
	// UseNonce records that a key has signed a request with a nonce. CodeConflict: it had done so before. The nonce is
	// remembered at least until the given time.
	UseNonce(ctx context.Context, key KeyID, nonce string, until time.Time) error
}

// Secrets is the part of a Store that identifies the keyset of its secrets, and lets them be sealed again with another key.
type Secrets interface {
	// KeysetCheck returns the check value that identifies the keyset of the database's secrets. If there is none, it stores
	// the given one first.
	KeysetCheck(ctx context.Context, sealed []byte) ([]byte, error)
	// ReplaceKeysetCheck replaces the check value if it is still old. Otherwise its error has CodeStale.
	ReplaceKeysetCheck(ctx context.Context, old, sealed []byte) error
	// SealedSecrets lists up to limit sealed secrets in a fixed order, those that follow the given one; nil: from the start.
	// An empty list means that there are no more. Answers to requests that have expired may be among them.
	SealedSecrets(ctx context.Context, after *SealedSecret, limit int) ([]*SealedSecret, error)
	// ReplaceSecrets replaces Sealed by Resealed in each secret that is still Sealed, and returns how many it replaced. No
	// revision changes, because the secrets are the same.
	ReplaceSecrets(ctx context.Context, secrets []*SealedSecret) (int, error)
}

// SealedSecret is something that a database contains sealed. Its Kind says which fields name it.
type SealedSecret struct {
	Key      KeyID
	Endpoint string
	Tenant   string // with Answer: the caller, empty for the operator
	Dialect  string // of Tenant
	Answer   int64  // the number of the request in the database
	Request  string // the caller's key of the request
	Sealed   []byte
	Resealed []byte // the same secret, sealed with the primary key
}

// SecretKind is what a sealed secret belongs to. SealedSecrets lists the kinds in their order.
type SecretKind int

// The kinds of sealed secrets.
const (
	SecretOfKey      SecretKind = iota // the secret of a key
	SecretOfEndpoint                   // the credentials of an endpoint
	SecretOfTenant                     // the authentication in the settings of a dialect of a tenant
	SecretOfAnswer                     // the answer to an idempotent request
)

// MaxSealedAnswers is how many answers SealedSecrets lists at most at a time, because they can be larger than other secrets.
const MaxSealedAnswers = 20

// Kind returns what the secret belongs to.
func (s *SealedSecret) Kind() SecretKind {
	switch {
	case s.Answer != 0:
		return SecretOfAnswer
	case s.Endpoint != "":
		return SecretOfEndpoint
	case s.Tenant != "":
		return SecretOfTenant
	}
	return SecretOfKey
}

// Owner returns the id of the endpoint or key, or that of the tenant with the dialect or the request.
func (s *SealedSecret) Owner() string {
	switch s.Kind() {
	case SecretOfAnswer:
		return "answer " + s.Tenant + "/" + s.Request
	case SecretOfEndpoint:
		return s.Endpoint
	case SecretOfTenant:
		return s.Tenant + "/" + s.Dialect
	}
	return s.Key.String()
}

// EventFilter selects events. Tenant is required; other zero fields select all.
type EventFilter struct {
	Tenant      string
	Type        string
	Since       time.Time // accepted at or after, to the millisecond
	Until       time.Time // accepted before
	OldestFirst bool      // reverses the list
}

// MaxSearched is how many rows a list examines for one page at most, where it has no index of what it selects.
const MaxSearched = 10_000

// MaxSkipped is MaxSearched for a list that leaves out only what belongs to deleted tenants.
const MaxSkipped = 1000

// MostSearched returns how many rows a list of the events of all tenants examines for one page.
func (f *EventFilter) MostSearched() int {
	if f.Type == "" {
		return MaxSkipped
	}
	return MaxSearched
}

// EventCursor returns the cursor of a list of events that continues after the given one, in either direction.
func EventCursor(id EventID) Cursor { return MakeCursor(id[:]) }

// DeliveryFilter selects deliveries. Tenant is required; other zero fields select all.
type DeliveryFilter struct {
	Tenant   string
	Endpoint string
	Event    EventID
	Status   DeliveryStatus
	Job      JobID // as Delivery.Job has it; only without Endpoint and Event
}

// DeliveryCursor returns the cursor of a list of deliveries that continues after the given id, which need not exist.
func DeliveryCursor(id DeliveryID) Cursor { return MakeCursor(id[:]) }

// Queue is the part of a Store that the engine drives: deliveries to be made, and their outcomes.
//
// A delivery belongs to an endpoint, an endpoint to a shard (ShardOf), and a shard to the node that leases it, in an epoch that
// grows with each change of owner. A claimed delivery carries the epoch in which it was claimed. Once that is not the shard's
// current epoch, the delivery is free again.
//
// Of the open deliveries to an endpoint with the same Key, the first can be claimed, and the others are behind it. Whatever ends the
// first one makes the next one free in the same transaction. At an endpoint that is no longer ordered by key, claims take
// deliveries out of this order.
//
// A delivery that another node stores for the owner, to forward it to the owner, carries the negative epoch. It counts as claimed by
// the owner, which has it in memory, or is about to: in that epoch, only claims with Search take it. Results and releases
// of the epoch apply to it.
type Queue interface {
	// RenewLeases registers the node, renews its leases and acquires its share of free shards. CodeConflict: another process
	// has taken over the node's name and all its shards.
	RenewLeases(ctx context.Context, node string) (*Leases, error)
	// HandOver releases shards of the node in which nothing is in progress any more. A leaving node acquires no others.
	HandOver(ctx context.Context, node string, shards []int, leaving bool) error
	// ReleaseLeases releases all shards of the node and forgets it.
	ReleaseLeases(ctx context.Context, node string) error
	// Nodes returns the nodes that use the store, by name.
	Nodes(ctx context.Context) ([]Node, error)
	// Watch calls f with other nodes' notifications until ctx ends. A store for one node returns nil at once.
	Watch(ctx context.Context, f func(Notification)) error
	// Tell sends a message, JSON of at most MaxTold bytes, to the Watch of other nodes. It can be lost. A store for one node does
	// nothing.
	Tell(ctx context.Context, message []byte) error

	// AppendEvents stores all appends in one transaction. Each event of a tenant gets a distinct time: its own, or a
	// microsecond after the tenant's last one if that is later. So the times of a tenant's events strictly grow in the order
	// in which they are stored, whichever node stores them and whatever its clock says. Deliveries keep the event's own time.
	// A refused append (CodeStale, CodeConflict, CodeNotFound, CodeRateLimited) has the error in its result and stores
	// nothing; the others are stored. An error of the whole means that nothing was stored, or with CodeUnavailable that the
	// outcome is unknown: it is safe to repeat the same appends with the same ids.
	//
	// An event with Recipients is stored with the list, and its deliveries are deferred to FanOut. While deliveries of a tenant
	// are deferred to FanOut, so are those of each event that has an ordered one, because numbers are given in the order of
	// publication.
	//
	// A delivery with Keyed whose key has an open delivery at the endpoint is stored behind it, and not claimed; see
	// AppendedEvent.Behind.
	AppendEvents(ctx context.Context, appends []*Append) ([]AppendResult, error)
	// RequestSearch makes the owners of endpoints search for deliveries that were stored to be forwarded to them and may not have
	// arrived. It does not wait. A store for one node does nothing.
	RequestSearch(endpoints []string)
	// FanOut stores up to limit of the deliveries that AppendEvents has deferred to it, of one tenant in the leased shards. Tenants
	// take turns, and each tenant's events go in the order in which they were stored. The deliveries are free. Each is stored
	// once, even if several nodes call FanOut.
	FanOut(ctx context.Context, leases *Leases, limit int) (*FannedOut, error)

	// DueEndpoints passes each endpoint of the leased shards that has a free delivery to found, including deleted endpoints. Where they
	// are many, it calls found several times, and may name an endpoint again: then the earliest time counts. Its cost grows with the
	// endpoints, not with their deliveries.
	DueEndpoints(ctx context.Context, leases *Leases, found func([]DueEndpoint)) error
	// ClaimDue claims free deliveries: for each claim first manual retries, then what is due at now, by due time, or in order
	// for ordered endpoints, where a delivery that is not due holds up those behind it. Deliveries of the same event have the
	// same pointer in Claimed.Event. Once the claims have reached MaxClaimBytes, the remaining ones are skipped.
	ClaimDue(ctx context.Context, now time.Time, claims []Claim) ([]ClaimResult, error)
	// ReleaseDeliveries releases deliveries that were claimed and not attempted.
	ReleaseDeliveries(ctx context.Context, claimed []ClaimToken) error
	// RecordResults stores the attempts, and applies the results to their deliveries and to the health of their endpoints. See
	// DeliveryState.Apply and Health.Record.
	RecordResults(ctx context.Context, results []*Result) ([]Recorded, error)

	// RequestRetry requests a manual retry of a delivery, whatever its status, and returns the delivery. ClaimDue returns it
	// in ClaimResult.Manual.
	RequestRetry(ctx context.Context, tenant string, id DeliveryID) (*Delivery, error)
	// CancelDelivery ends an open delivery; CodeConflict if it is not open.
	CancelDelivery(ctx context.Context, tenant string, id DeliveryID, reason string, now time.Time) (*Delivery, error)
	// CancelOpen ends up to limit open deliveries, claimed or free, of an endpoint that is disabled or deleted, and returns how
	// many; fewer than limit means that none is left. CodeStale: the endpoint is neither any more. Tests of a disabled endpoint
	// stay. For a deleted endpoint it also drops requested manual retries, each of which counts as one.
	CancelOpen(ctx context.Context, endpoint, reason string, now time.Time, limit int) (int, error)
	// ExhaustTooOld ends as exhausted what is on an endpoint's schedule, free, and too old. It returns how many; fewer than the
	// limit means that none is left.
	ExhaustTooOld(ctx context.Context, now time.Time, x TooOld) (int, error)

	// EndExpired ends up to limit open deliveries whose events expire no later than now as canceled, claimed or free, of all
	// endpoints, those that expired first at first.
	EndExpired(ctx context.Context, now time.Time, limit int) (*EndedExpired, error)

	// RollUp moves deltas that AppendEvents and RecordResults have stored for statistics into the rows of their intervals, each
	// exactly once, and returns how many. It stops when the rows are of the given number of tenants. 0: no delta is left, or
	// another node is moving them.
	RollUp(ctx context.Context, tenants int) (deltas int, err error)

	// Backlog counts open deliveries and returns since when the longest waiting one has been due. It may estimate from
	// indexes. Its cost grows with the endpoints for which deliveries wait.
	Backlog(ctx context.Context) (*Backlog, error)
}

// Outbox is the part of a Store that holds events which other programs have published inside transactions of their own. They
// are accepted once these transactions commit, and wait to be matched. AppendEvents stores them with their deliveries.
type Outbox interface {
	// Unmatched returns events that wait to be matched, of tenants in the leased shards except those in but: the next few of
	// each tenant in their order, one tenant after the other. The events keep their ids and times.
	Unmatched(ctx context.Context, leases *Leases, but []string) ([]Unmatched, error)
	// PostponeUnmatched postpones an event that cannot be matched now, so that it does not hold up those behind it. Unmatched
	// returns it again after the wait.
	PostponeUnmatched(ctx context.Context, id EventID, problem string, wait time.Duration) error
	// AnnouncePolling records that the node calls Unmatched every few milliseconds for a while, so that publishers need not
	// notify it.
	AnnouncePolling(ctx context.Context, node string, during time.Duration) error
	// LimitEvents sets the most bytes that the data of an event published inside the database may have.
	LimitEvents(ctx context.Context, bytes int) error
}

// Unmatched is an event that waits to be matched.
type Unmatched struct {
	Event *Event
	Again bool // it was postponed, and has lost its place in the order
}

// Leases are the shards that a node owns.
type Leases struct {
	Epochs    [Shards]int64 // of each shard; 0: not owned
	ToRelease []int         // owned shards that another node is to have, to be handed over once nothing in them is in progress
	Acquired  []Takeover    // owned shards that this renewal has acquired
	Nodes     int           // live nodes, this one included; a store for one node may leave it 0
	Instance  [16]byte      // of this process, among those that have had its name
	Peers     []Peer        // the other live nodes
	Term      time.Duration // how long they hold after the call of RenewLeases, unless renewed; 0: forever
}

// Node is a process that uses a store, as another one sees it.
type Node struct {
	Name    string
	Shards  int           // owned shards
	Epoch   int64         // the newest epoch of these, 0 if there are none
	Leaving bool          // it is shutting down, and hands its shards over
	Age     time.Duration // since a renewal of its leases was seen; 0 if they do not end
	Term    time.Duration // how long its leases hold after a renewal; 0: forever

	Version   string    // of Bellwire; empty: unknown
	StartedAt time.Time // when its process started; zero: unknown

	DialectFiles string // a digest of its files that declare dialects; empty: it has none
}

// Alive reports whether the node's leases hold.
func (n *Node) Alive() bool { return n.Age <= n.Term }

// Takeover is a number of shards that a node has acquired.
type Takeover struct {
	Shards int
	From   string // the node that owned them before; empty: none
	Why    TakeoverReason
}

// TakeoverReason is why shards were free.
type TakeoverReason string

// The reasons why shards were free.
const (
	TakeoverUnowned   TakeoverReason = "unowned"     // no node owned them
	TakeoverHanded    TakeoverReason = "handed_over" // their node released them
	TakeoverExpired   TakeoverReason = "expired"     // their node had not renewed its leases for a term
	TakeoverRestarted TakeoverReason = "restarted"   // an earlier process of the same name owned them, or a renewal without an answer acquired them
)

// Epoch returns the epoch in which the endpoint's shard is owned, 0 if it is not.
func (l *Leases) Epoch(endpoint string) int64 { return l.Epochs[ShardOf(endpoint)] }

// Notification is what a node learns of another.
type Notification struct {
	Endpoints     []string     // endpoints that have something new to claim
	Search        bool         // the claim must search: some may have been stored to be forwarded, and not have arrived
	Erased        EventID      // an event whose data was erased, of which these endpoints may have deliveries in memory; zero: none
	Canceled      []DeliveryID // deliveries to these endpoints that were canceled, which may be in memory
	Tenant        string       // a tenant whose configuration changed; empty: none
	Configuration bool         // the operator's configuration changed
	Unmatched     bool         // events were published inside the database
	FanOut        bool         // deliveries were deferred to FanOut
	Leases        bool         // leases should be renewed: shards were released, or nodes came or went
	Missed        bool         // other notifications may have been lost
	Told          []byte       // a message of Tell; nil: none
}

// MaxTold is the maximum size of a message of Tell, in bytes.
const MaxTold = 6500

// Append is one or more events of one tenant that are stored together or not at all.
type Append struct {
	Events []*NewEvent
	// TenantRevision and OperatorRevision are the revisions of the configuration that the append was decided on. At any other
	// the append is refused with CodeStale. 0: any revision. Then an endpoint may have been deleted since; a delivery to it is
	// stored like others.
	TenantRevision   int64
	OperatorRevision int64
	// MaxDeferred is the most deliveries that the tenant may have deferred to FanOut. The append is refused with
	// CodeRateLimited if it would exceed that and the tenant has some deferred already. 0: no limit.
	MaxDeferred int
}

// NewEvent is an event to be stored, with its deliveries.
type NewEvent struct {
	Event      Event
	Digest     [32]byte // Digest of the event; used only with an idempotency key
	Deliveries []NewDelivery
	// Recipients replace Deliveries where there are many. Events of one append with the same recipients should share the
	// pointer: a store keeps the list once for consecutive events.
	Recipients *Recipients
	// Unmatched marks an event of Outbox.Unmatched, which ceases to be one when it is stored. If another node was faster, it is
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

// Ordered reports whether the event has a delivery in an order.
func (e *NewEvent) Ordered() bool {
	return slices.ContainsFunc(e.Deliveries, func(d NewDelivery) bool { return d.Ordered })
}

// Recipients are the endpoints that get an event, each once.
type Recipients []Recipient

// Recipient is an endpoint that gets an event.
type Recipient struct {
	Endpoint string
	// Ordered puts its delivery into the endpoint's order. FanOut takes the order that the endpoint has by then.
	Ordered bool
}

// RecipientsOf returns the recipients of deliveries.
func RecipientsOf(deliveries []NewDelivery) *Recipients {
	r := make(Recipients, len(deliveries))
	for i, d := range deliveries {
		r[i] = Recipient{Endpoint: d.Endpoint, Ordered: d.Ordered}
	}
	return &r
}

// FannedOut is what FanOut has stored.
type FannedOut struct {
	Tenant     string   // whose deliveries they are
	Deliveries int      // 0: nothing waits in the leased shards
	Endpoints  []string // endpoints that have something new to claim
}

// NewDelivery is a delivery to be stored with its event.
type NewDelivery struct {
	ID       DeliveryID // DeliveryOf its event, with a distinct number
	Endpoint string
	Epoch    int64 // the shard's epoch if the caller claims it at once, negative if it forwards it to the owner; 0: free
	Ordered  bool  // it gets the endpoint's next number
	Keyed    bool  // with Ordered: its order is that of its event's OrderingKey
	Manual   bool  // a test: claimed like a manual retry, and never on the schedule
}

// AppendResult is the result of an Append.
type AppendResult struct {
	Err    error // why this append was refused; nil if it is stored
	Stale  Stale // what has to be read again before it is repeated; not zero if and only if Err has CodeStale
	Events []AppendedEvent
}

// Stale names the parts of the configuration that have changed since an Append was decided on them.
type Stale struct {
	Tenant    bool // the tenant's configuration is not at Append.TenantRevision
	Catalogue bool // the operator's configuration, with the event types, is not at Append.OperatorRevision
}

// AppendedEvent is the result for one event.
type AppendedEvent struct {
	ID         EventID   // the first event's id, if Duplicate
	Duplicate  bool      // the idempotency key was known, with the same type and data: nothing was stored
	CreatedAt  time.Time // of the stored event; zero if Duplicate
	Deliveries int       // how many the stored event has
	Sequences  []int64   // the numbers of the deliveries, 0 for those without an order; nil if Duplicate or Deferred
	Deferred   bool      // its deliveries are deferred to FanOut
	// Behind reports which of the deliveries are not claimed, although the append asked for it, because an earlier delivery of their
	// key had not ended when they were stored; nil: none of them.
	Behind []bool
}

// DueEndpoint is an endpoint with something to claim.
type DueEndpoint struct {
	Endpoint string
	Tenant   string
	At       time.Time // when the first free delivery on the schedule is due; zero: there is none
	Manual   bool      // manual retries are requested
}

// Claim asks for an endpoint's due deliveries.
type Claim struct {
	Endpoint    string
	Epoch       int64 // of its shard; claimed deliveries carry it
	Limit       int   // the most deliveries on the schedule; 0: manual retries only
	ManualLimit int   // the most manual retries
	MaxBytes    int   // of event data: once reached, nothing more is claimed, except one manual retry and one delivery on the schedule
	Ordered     bool
	// Search claims also what was stored in this epoch to be forwarded, except Held, which the caller has in memory. An Ordered claim
	// does so always, and there is nothing held.
	Search bool
	Held   []DeliveryID
}

// MaxClaimBytes is how much event data one ClaimDue reads, because publishers wait for it. Once that is reached, the remaining
// claims are skipped. An event counts once for all its deliveries.
const MaxClaimBytes = 2 << 20

// ClaimResult is what was claimed for an endpoint.
type ClaimResult struct {
	Skipped      bool // MaxClaimBytes was reached before: claim again
	Manual       []Claimed
	Due          []Claimed
	Next         time.Time // when the next free delivery on the schedule is due; zero: there is none
	NextSequence int64     // the number that the next ordered delivery will get
}

// TooOld asks that deliveries on an endpoint's schedule be ended as exhausted, because max_elapsed has passed.
type TooOld struct {
	Endpoint string
	Epoch    int64     // of its shard: what is claimed in it is not free
	Before   time.Time // older deliveries are ended, to the millisecond
	Reason   string
	Limit    int
}

// DeletedTenant is a tenant whose rows are still being deleted.
type DeletedTenant struct {
	DeletedAt time.Time
	Events    int // of this and all other deleted tenants that are not deleted yet
}

// EndedExpired is what EndExpired has ended.
type EndedExpired struct {
	Deliveries []ExpiredDelivery
	More       bool      // there are more
	Next       time.Time // when the next open delivery expires; zero: none does
}

// ExpiredDelivery is a delivery that has expired.
type ExpiredDelivery struct {
	ID                        DeliveryID
	Tenant, Endpoint, Dialect string    // Dialect is that of the endpoint
	Began                     time.Time // as in Delivery
}

// Claimed is a claimed delivery, with its event.
type Claimed struct {
	Delivery Delivery
	Event    *Event
}

// ClaimToken names a claimed delivery and the epoch in which it was claimed.
type ClaimToken struct {
	Delivery DeliveryID
	Epoch    int64
	Manual   bool // claimed as a manual retry
}

// Result is the outcome of an attempt to deliver.
type Result struct {
	Attempt    *Attempt // nil: no request could be made
	Delivery   DeliveryID
	EventType  string // of the delivery's event, for statistics
	Trigger    Trigger
	Epoch      int64 // in which the delivery was claimed
	Key        int64 // Delivery.Key
	Transition Transition
	EndedAt    time.Time
	// RestartedAt is that of the delivery when it was claimed.
	RestartedAt time.Time
	// Disable asks that the endpoint be disabled, if it is still at EndpointRevision. If it is not, Otherwise replaces
	// Transition, because the request went to a URL that the endpoint may no longer have.
	Disable          bool
	Endpoint         string
	EndpointRevision int64
	Otherwise        Transition
	WholeAttempts    int // how many attempts of the delivery keep their details, see DroppedAttempt; 0: all
	Health           HealthNote
}

// Recorded is what the store made of a Result.
type Recorded struct {
	Status      DeliveryStatus // of the delivery now
	Moved       bool           // the transition was made
	DueAt       time.Time      // with DeliveryRetrying: when the next attempt is due
	DisabledFor string         // why the endpoint was disabled; empty if it was not
	Settled     bool           // with HealthCounts: Health.Settled of the endpoint now
	Next        bool           // the next delivery of its key is free now
}

// Backlog counts what is open.
type Backlog struct {
	Open   int
	Oldest time.Time // when the longest waiting delivery became due; zero: nothing is due
	FanOut int       // open deliveries that are deferred to FanOut

	CountedAt time.Time // by the clock of this process

	Unmatched       int       // events that were published inside the database and wait to be matched
	OldestUnmatched time.Time // when the first of them was published; zero: there is none
}

// MaxPageBytes is the size at which a page of a list ends short of its limit: of events the data, of anything else its size as
// JSON. So 250 events of a megabyte each are never in memory at once.
const MaxPageBytes = 4 << 20

// Page asks for a part of a list.
type Page struct {
	Limit int    // the most items
	Bytes int    // where the page ends early; 0: at MaxPageBytes
	After Cursor // List.Next of the page before; empty: from the start
}

// MostBytes returns the size at which the page ends early. One item may exceed it.
func (p Page) MostBytes() int {
	if p.Bytes == 0 {
		return MaxPageBytes
	}
	return p.Bytes
}

// List is a part of a list.
type List[T any] struct {
	Items []T
	Next  Cursor // empty: there is no more
}

// Cursor is a place in a list. Only the store that made it knows its meaning.
type Cursor string

// MakeCursor encodes a store's key.
func MakeCursor(key []byte) Cursor {
	return Cursor(base64.RawURLEncoding.EncodeToString(key))
}

// Time returns the time of the id in a cursor of DeliveryCursor, EventCursor or a list in that order, and zero of any other cursor.
func (c Cursor) Time() time.Time {
	key, err := c.Key(len(EventID{}))
	if err != nil {
		return time.Time{}
	}
	return EventID(key).Time()
}

// Key decodes a store's key of the given size. Its error has CodeInvalid.
func (c Cursor) Key(size int) ([]byte, error) {
	key, err := base64.RawURLEncoding.Strict().DecodeString(string(c))
	if err != nil || len(key) != size || MakeCursor(key) != c { // the decoder ignores line breaks
		return nil, Invalid("cursor", "must be the next_cursor of the page before, unchanged")
	}
	return key, nil
}
