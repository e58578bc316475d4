package service

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"hash/maphash"
	"slices"
	"strings"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// Event imports an event. It takes the data.
func (i *Import) Event(ctx context.Context, line int, in ImportedEvent) error {
	held, nobody := i.requireImportTenant(ctx, in.Tenant)
	e, err := i.service.importedEvent(&in, i.caller.actor(ctx))
	if err := bellwire.Join(nobody, err); err != nil {
		return err
	}
	if i.coming.newestOf(in.Type) == 0 {
		if e.Event.Version, err = i.service.importedVersion(ctx, &in); err != nil {
			return err
		}
	}
	if bellwire.IsDryRun(ctx) {
		return nil
	}
	if len(i.ids) >= importMemory {
		// The chunk must not have what can no longer be compared.
		if err := i.flush(ctx); err != nil {
			return err
		}
		clear(i.ids)
		clear(i.keys)
	}
	again, err := i.repeats(line, e)
	if err != nil {
		return err
	}
	if again {
		i.report.Unchanged[ImportEvent]++
		return nil
	}
	if i.coming.isComing(in.Tenant) {
		i.created(i.isPast(e, held))
		return nil
	}
	c := &i.chunk
	if len(c.events) == importChunk || c.bytes+len(in.Data) > importChunkBytes {
		if err := i.flush(ctx); err != nil {
			return err
		}
	}
	c.bytes += len(in.Data)
	c.events, c.lines, c.past = append(c.events, e), append(c.lines, line), append(c.past, i.isPast(e, held))
	return nil
}

// flush imports the chunk.
func (i *Import) flush(ctx context.Context) error {
	c := i.chunk
	i.chunk = importingChunk{events: c.events[:0], lines: c.lines[:0], past: c.past[:0]}
	if len(c.events) == 0 {
		return nil
	}
	results, err := i.service.store.ImportEvents(ctx, c.events, i.dryRun)
	if err != nil {
		return err
	}
	for k, r := range results {
		switch r.State {
		case bellwire.ImportCreated:
			i.created(c.past[k])
		case bellwire.ImportUnchanged:
			i.report.Unchanged[ImportEvent]++
		default:
			if err := i.Fault(c.lines[k], bellwire.Invalid(r.Field, "%s", r.Problem)); err != nil {
				return err
			}
		}
	}
	return nil
}

// created counts an event that was created. It is past if the next clean-up deletes it.
func (i *Import) created(past bool) {
	i.report.Created[ImportEvent]++
	if past {
		i.report.PastRetention++
	}
}

// isPast reports whether an event is older than those that the server, or its tenant, keeps.
func (i *Import) isPast(e *bellwire.NewEvent, held *bellwire.Limits) bool {
	at := e.Event.CreatedAt
	return at.Before(i.report.RetainedSince) || held.EventRetention > 0 && at.Before(now().Add(-held.EventRetention))
}

// repeats reports whether an earlier line has the same event, and returns an error if one has another event under the same id or key.
// After importMemory events it begins anew; then only the store knows the earlier ones.
func (i *Import) repeats(line int, e *bellwire.NewEvent) (bool, error) {
	id, tenant := e.Event.ID, e.Event.Tenant
	content := maphash.String(i.seed, strings.Join([]string{
		string(id[:]), tenant, string(e.Digest[:]), e.Event.IdempotencyKey, e.Event.CreatedAt.String(), e.Event.OccurredAt.String(),
		e.Event.DeliverAt.String(), e.Event.ExpiresAt.String(), e.Event.OrderingKey,
	}, "\x00"))
	place := maphash.Bytes(i.seed, id[:len(id)-2])
	if before, found := i.ids[place]; found {
		if before.content == content {
			return true, nil
		}
		return false, bellwire.Invalid("id", "is the id of the event in line %d too, which differs, or differs from it in the last 4 digits only", before.line)
	}
	i.ids[place] = importedLine{content, line}
	if e.Event.IdempotencyKey == "" {
		return false, nil
	}
	place = maphash.String(i.seed, tenant+"\x00"+e.Event.IdempotencyKey)
	content = maphash.Bytes(i.seed, e.Digest[:])
	if before, found := i.keys[place]; found {
		if before.content == content {
			return true, nil
		}
		return false, bellwire.Invalid("key", "is the idempotency key of the event in line %d too, which differs", before.line)
	}
	i.keys[place] = importedLine{content, line}
	return false, nil
}

// checkYear refuses a time that cannot be stored.
func checkYear(field string, at time.Time) error {
	if y := at.UTC().Year(); !at.IsZero() && (y < 1970 || y > 9999) {
		return bellwire.Invalid(field, "must be between the years 1970 and 9999")
	}
	return nil
}

// importedEvent returns the event of a line, which by imports.
func (s *Service) importedEvent(in *ImportedEvent, by bellwire.Actor) (*bellwire.NewEvent, error) {
	if len(in.Data) > s.maxEventBytes {
		return nil, tooLarge("data", "must have at most %s bytes, but has %s", bellwire.Number(s.maxEventBytes), bellwire.Number(len(in.Data)))
	}
	faults := []error{
		inField("type", bellwire.CheckEventTypeName(in.Type)), checkImportTime(in.CreatedAt),
		CheckIdempotencyKey("key", in.Key), CheckIdempotencyKey("id", in.ID), checkOrderingKey(in.OrderingKey),
		checkYear("occurred_at", in.OccurredAt), checkYear("deliver_at", in.DeliverAt), checkYear("expires_at", in.ExpiresAt), checkYear("erased_at", in.ErasedAt),
	}
	if !slices.Contains(bellwire.OperationalTypes, in.Type) {
		faults = append(faults, checkNotOperational("type", in.Type))
	}
	if in.CreatedAt.IsZero() {
		faults = append(faults, bellwire.Invalid("created_at", "is required"))
	}
	if !in.ErasedAt.IsZero() && len(in.Data) > 0 && string(in.Data) != "null" {
		faults = append(faults, bellwire.Invalid("data", "must be null together with erased_at"))
	}
	if in.ID == "" && in.Key == "" {
		faults = append(faults, bellwire.Invalid("id", "is required, or key, so that the same line can be imported again"))
	}
	if err := bellwire.Join(faults...); err != nil {
		return nil, err
	}
	at := bellwire.StoredTime(in.CreatedAt)
	e := &bellwire.NewEvent{Event: bellwire.Event{
		Tenant: in.Tenant, Type: in.Type, Data: in.Data, IdempotencyKey: in.Key, CreatedAt: at, Imported: true,
	}, Digest: bellwire.Digest(in.Type, in.Data)}
	e.Event.OccurredAt, e.Event.DeliverAt, e.Event.ExpiresAt = bellwire.StoredTime(in.OccurredAt), bellwire.StoredTime(in.DeliverAt), bellwire.StoredTime(in.ExpiresAt)
	e.Event.OrderingKey = in.OrderingKey
	if !in.ErasedAt.IsZero() {
		e.Event.Data, e.Digest = nil, bellwire.ErasedDigest
		e.Event.Erased = &bellwire.Erasure{At: bellwire.StoredTime(in.ErasedAt), By: by}
	}
	id, err := ownEventID(in, at)
	if err != nil {
		return nil, err
	}
	e.Event.ID = id
	if _, kept := keptEventID(in.ID, at); in.Key == "" && !kept {
		e.Event.IdempotencyKey = in.ID
	}
	return e, nil
}

// ownEventID returns the id of an event: its own, or one that is made of its time and of its own id or key, so that it is the same
// each time.
func ownEventID(in *ImportedEvent, at time.Time) (bellwire.EventID, error) {
	id, kept := keptEventID(in.ID, at)
	switch {
	case kept:
		return id, nil
	case in.ID != "" && in.Key != "" && in.ID != in.Key:
		return id, bellwire.Invalid("id", "must be of the form evt_ and the 32 hex digits of a UUIDv7 of created_at, if key is given too; leave out one of them")
	}
	hash := sha256.Sum256([]byte("bellwire import\x00" + in.Tenant + "\x00" + in.ID + in.Key))
	id = bellwire.NewID[bellwire.EventKind](at)
	copy(id[8:], hash[:8])
	id[8] = id[8]&0x3f | 0x80
	return id, nil
}

// keptEventID returns an id that an event can keep: a UUIDv7 with the time of the event, because lists are in the order of ids. It may
// be written with hyphens. An id of Bellwire's own may be older: an event that was published in the database waits to be matched.
func keptEventID(text string, at time.Time) (id bellwire.EventID, kept bool) {
	id, err := bellwire.ParseID[bellwire.EventKind](text)
	own := err == nil
	if !own {
		raw, undashed := hex.DecodeString(strings.ReplaceAll(text, "-", ""))
		if undashed != nil || len(text) != 36 || len(raw) != len(id) {
			return id, false
		}
		copy(id[:], raw)
	}
	isV7 := id[6]>>4 == 7 && id[8]>>6 == 2
	early := at.Sub(id.Time())
	return id, isV7 && -early <= importSlack && (own || early <= importSlack)
}

// ImportedEvent is an event of another system.
type ImportedEvent struct {
	Tenant, Type string
	ID           string // kept as the event's id if it has the form and the time of Bellwire's, or else as its idempotency key
	Key          string // the idempotency key
	Data         []byte
	CreatedAt    time.Time
	OccurredAt   time.Time // zero: at CreatedAt
	DeliverAt    time.Time // zero: at once
	ExpiresAt    time.Time // zero: never
	OrderingKey  string
	Version      int       // of its type, in which the data is; 0: the first
	ErasedAt     time.Time // zero: the data was not erased; else there is none
}

// importedLine is an event of an earlier line.
type importedLine struct {
	content uint64 // a hash
	line    int
}

// importingChunk is events that are imported together.
type importingChunk struct {
	events []*bellwire.NewEvent
	lines  []int
	past   []bool // whether each is past its retention
	bytes  int
}
