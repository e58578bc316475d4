package bellwire

import "context"

// Imports is the part of a Store that takes the history of other systems.
type Imports interface {
	// ImportEvents stores events, of any tenants, as history: at their own times, with their idempotency keys, without deliveries, and
	// outside the statistics. Each is decided by itself, in their order; see ImportResult. With dryRun it stores nothing. No two
	// events of a tenant may have the same idempotency key, and no two of all ids that DeliveryOf does not tell apart. CodeNotFound: a
	// tenant does not exist.
	ImportEvents(ctx context.Context, events []*NewEvent, dryRun bool) ([]ImportResult, error)
}

// ImportState says what became of something that was imported.
type ImportState int

// The states.
const (
	ImportCreated   ImportState = iota
	ImportUnchanged             // it is stored already: nothing was done
	ImportRefused               // something else is stored under its id or key: nothing was done
)

// ImportResult is the result for one event.
type ImportResult struct {
	State ImportState
	// Field and Problem are set if the event is refused: the field at fault, and a predicate of it.
	Field, Problem string
}
