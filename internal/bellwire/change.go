package bellwire

import (
	"context"
	"encoding/json"
	"time"
)

// ChangeAction is the kind of a change of an endpoint.
type ChangeAction string

// The kinds of change.
const (
	ChangeCreated ChangeAction = "created"
	ChangeUpdated ChangeAction = "updated" // also a rotation of secrets
	ChangeDeleted ChangeAction = "deleted"
	// ChangeFound is the state that an endpoint had when Bellwire began to keep its history.
	ChangeFound ChangeAction = "found"
)

// Change is a change of an endpoint, as its history keeps it.
type Change struct {
	At     time.Time
	Action ChangeAction
	ChangeNote
}

// ChangeNote is the part of a change that its originator tells a Store.
type ChangeNote struct {
	Actor Actor
	// Before and After are JSON objects of the fields that the change is about. They contain no secrets: a secret that has
	// changed is SecretChanged. Empty: no fields.
	Before, After json.RawMessage
	Quiet         bool // no operational event tells of it
}

// SecretChanged stands for the new value of a secret in the fields of a change.
const SecretChanged = "[changed]"

// ActorKind is the kind of originator of a change.
type ActorKind string

// The kinds of originator.
const (
	ActorUnknown    ActorKind = "unknown"    // the change was made before Bellwire kept histories
	ActorKey        ActorKind = "key"        // a key, named by Actor.Key
	ActorConfigured ActorKind = "configured" // the configured admin key
	ActorVouched    ActorKind = "vouched"    // a caller whom a dialect's front end has authenticated, such as by a token
	ActorBellwire   ActorKind = "bellwire"   // Bellwire itself, for Actor.Reason
)

// Actor is the originator of a change.
type Actor struct {
	Kind ActorKind
	Key  KeyID `json:",omitzero"`
	// KeyName is the key's name where it was looked up. It is not stored.
	KeyName string `json:"-"`
	// Session is the session in which the change was made; Key has made the session.
	Session SessionID `json:",omitzero"`
	Role    Role      `json:",omitzero"` // of the caller; empty unless there was one
	Origin
	Reason string `json:",omitzero"` // why Bellwire made the change
}

// Origin is where a request came from.
type Origin struct {
	RequestID string `json:",omitzero"`
	Address   string `json:",omitzero"` // the client's, without a port
}

// Call is a request to a management API, as histories and the audit log name it.
type Call struct {
	Origin
	Method string
	Path   string // without the query, with its escapes; at most MaxAuditText bytes
}

type callKey struct{}

// WithCall returns a context of a request.
func WithCall(ctx context.Context, c Call) context.Context {
	return context.WithValue(ctx, callKey{}, c)
}

// CallOf returns the request of the context, the zero Call if it has none.
func CallOf(ctx context.Context) Call {
	c, _ := ctx.Value(callKey{}).(Call)
	return c
}

// Standing is the part of an endpoint that decides whether an event is delivered to it. Each change of a history has the
// standing that it led to.
type Standing struct {
	Status  EndpointStatus
	Deleted bool `json:",omitzero"`
	Events  []string
	Filter  string    `json:",omitzero"`
	Since   time.Time // when Status, or Deleted, became what it is
	By      Actor     // who changed it then
	Reason  string    `json:",omitzero"` // why it is paused or disabled, as the request has said
	// Catalogue and Versions are those of the endpoint if it has a filter, which sees events in these versions.
	Catalogue int64              `json:",omitzero"`
	Versions  map[string]Version `json:",omitempty"`
}

// Bounds on the histories of endpoints.
const (
	MaxChanges          = 1000      // newest changes that an endpoint keeps
	MaxHistoryBytes     = 512 << 10 // of one endpoint's changes
	MaxDeletedHistories = 1000      // newest deleted endpoints of a tenant whose changes are kept
)
