package rules

import (
	"strings"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// ImportFacts are the facts about an event that is to be imported.
type ImportFacts struct {
	Stored *bellwire.Event   // the tenant's event with the same id; nil: none
	Taken  *bellwire.EventID // another event whose deliveries could not be told apart from those of this one; nil: none
	Known  *KnownEvent       // the tenant's event with the same idempotency key; nil: none
}

// DecideImport decides what becomes of an event. The store of an event that is not refused must still be done if it is created.
func DecideImport(n *bellwire.NewEvent, f *ImportFacts) bellwire.ImportResult {
	e := &n.Event
	switch {
	case f.Stored != nil:
		return compareStored(e, f.Stored)
	case f.Taken != nil && *f.Taken == e.ID:
		return refusedImport("id", "is the id of another tenant's event")
	case f.Taken != nil:
		return refusedImport("id", "differs from the id of event "+f.Taken.String()+" in the last 4 digits only, by which deliveries are numbered")
	case f.Known == nil:
		return bellwire.ImportResult{State: bellwire.ImportCreated}
	case bellwire.SameDigest(f.Known.Digest, n.Digest):
		return bellwire.ImportResult{State: bellwire.ImportUnchanged}
	}
	return refusedImport("key", "is the idempotency key of event "+f.Known.ID.String()+", whose type or data differ")
}

// compareStored compares an event with the stored one. The data of an erased one stays erased.
func compareStored(e, stored *bellwire.Event) bellwire.ImportResult {
	if stored.Erased != nil {
		return bellwire.ImportResult{State: bellwire.ImportUnchanged}
	}
	var differ []string
	for _, field := range []struct {
		name string
		same bool
	}{
		{"type", stored.Type == e.Type},
		{"data", string(stored.Data) == string(e.Data)},
		{"key", stored.IdempotencyKey == e.IdempotencyKey},
		{"created_at", stored.CreatedAt.Equal(e.CreatedAt)},
		{"occurred_at", stored.OccurredAt.Equal(e.OccurredAt)},
		{"deliver_at", stored.DeliverAt.Equal(e.DeliverAt)},
		{"expires_at", stored.ExpiresAt.Equal(e.ExpiresAt)},
		{"ordering_key", stored.OrderingKey == e.OrderingKey},
		{"erased_at", e.Erased == nil},
	} {
		if !field.same {
			differ = append(differ, field.name)
		}
	}
	if len(differ) == 0 {
		return bellwire.ImportResult{State: bellwire.ImportUnchanged}
	}
	return refusedImport("id", "is the id of an event that differs in "+strings.Join(differ, ", "))
}

func refusedImport(field, problem string) bellwire.ImportResult {
	return bellwire.ImportResult{State: bellwire.ImportRefused, Field: field, Problem: problem}
}
