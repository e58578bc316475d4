package service

import (
	"context"
	"fmt"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/directory"
	"github.com/bellwire/bellwire/internal/engine"
)

// Draft is an event to be published. Data must be a valid JSON value, as checked by the front end, and must not be changed
// afterwards.
type Draft = engine.Draft

// Receipt acknowledges one published event.
type Receipt = engine.Receipt

// Publish publishes one event. When it returns a receipt, the event and its deliveries are on disk. Its error has CodeConflict if
// the idempotency key was used for another event.
func (s *Service) Publish(ctx context.Context, c Caller, tenant string, d Draft) (Receipt, error) {
	if err := authorizeIn(c, Publish, tenant); err != nil {
		return Receipt{}, err
	}
	return s.publish(ctx, c, tenant, d)
}

func (s *Service) publish(ctx context.Context, c Caller, tenant string, d Draft) (Receipt, error) {
	if err := s.validateDraft(&d); err != nil {
		return Receipt{}, err
	}
	receipts, err := s.take(ctx, c, tenant, []Draft{d}, func(_ int, err error) error { return err })
	if err != nil {
		return Receipt{}, err
	}
	return receipts[0], nil
}

// BeginReading waits for a turn to parse a publication of the given size, if it is large. The caller must call end once it is
// parsed. The error has CodeRateLimited if too many are waiting.
func (s *Service) BeginReading(ctx context.Context, tenant string, bytes int) (end func(), err error) {
	return s.directory.BeginReading(ctx, tenant, bytes)
}

// PublishBatch publishes all events or none. The receipts are in the order of the events.
func (s *Service) PublishBatch(ctx context.Context, c Caller, tenant string, drafts []Draft) ([]Receipt, error) {
	if err := authorizeIn(c, Publish, tenant); err != nil {
		return nil, err
	}
	if len(drafts) == 0 || len(drafts) > MaxBatchEvents {
		return nil, bellwire.Invalid("events", "must have 1 to %s entries, but has %s", bellwire.Number(MaxBatchEvents), bellwire.Number(len(drafts)))
	}
	size, err := s.validateDrafts(drafts)
	if err != nil {
		return nil, err
	}
	if size > MaxBatchBytes {
		return nil, tooLarge("events", "must have at most %s bytes of data, but has %s; send the batch in parts", bellwire.Number(MaxBatchBytes), bellwire.Number(size))
	}
	receipts, err := s.take(ctx, c, tenant, drafts, inEvent)
	if bellwire.CodeOf(err) == bellwire.CodeConflict {
		return nil, s.locateConflict(ctx, tenant, drafts, err)
	}
	return receipts, err
}

// validateDrafts applies validateDraft to a batch, and returns its size in bytes of data.
func (s *Service) validateDrafts(drafts []Draft) (size int, err error) {
	var faults []error
	for i := range drafts {
		err := s.validateDraft(&drafts[i])
		invalid := bellwire.CodeOf(err) == bellwire.CodeInvalid
		switch {
		case err == nil:
			size += len(drafts[i].Data)
		case !invalid && len(faults) == 0:
			return 0, inEvent(i, err)
		case !invalid || len(faults) == maxFaults:
			return 0, bellwire.Join(faults...)
		default:
			faults = append(faults, inEvent(i, err))
		}
	}
	return size, bellwire.Join(faults...)
}

// locateConflict adds to a conflict the field of the first event of the batch whose id was used for another event, earlier or in
// the same batch.
func (s *Service) locateConflict(ctx context.Context, tenant string, drafts []Draft, conflict error) error {
	used, err := s.digests(ctx, tenant, drafts)
	if err != nil {
		return conflict
	}
	for i := range drafts {
		d := &drafts[i]
		if d.IdempotencyKey == "" {
			continue
		}
		digest := bellwire.Digest(d.Type, d.Data)
		if _, known := used[d.IdempotencyKey]; !known {
			used[d.IdempotencyKey] = digest
		}
		if !bellwire.SameDigest(used[d.IdempotencyKey], digest) {
			return inField(fmt.Sprintf("events[%d].id", i), conflict)
		}
	}
	return conflict
}

// digests returns the digests of the events that were published with the drafts' ids before.
func (s *Service) digests(ctx context.Context, tenant string, drafts []Draft) (map[string][32]byte, error) {
	var keys []string
	for i := range drafts {
		if key := drafts[i].IdempotencyKey; key != "" {
			keys = append(keys, key)
		}
	}
	if len(keys) == 0 {
		return nil, nil
	}
	return s.store.Digests(ctx, tenant, keys)
}

// inEvent returns err as one about an event of a batch.
func inEvent(i int, err error) error {
	return renameFields(err, func(field string) string { return fmt.Sprintf("events[%d].%s", i, field) })
}

// take passes the drafts to the engine, which has them checked against the catalogue. locate returns an error as one about the
// i-th draft.
func (s *Service) take(ctx context.Context, c Caller, tenant string, drafts []Draft, locate func(i int, err error) error) ([]Receipt, error) {
	if err := s.allowEvents(ctx, tenant, len(drafts)); err != nil {
		return nil, err
	}
	p := &publication{
		Publication: engine.Publication{Tenant: tenant, Events: drafts, Trace: bellwire.TraceOf(ctx)},
		service:     s, caller: c, locate: locate,
	}
	p.Publication.Checks = p
	return s.engine.Publish(ctx, &p.Publication)
}

// publication checks what a caller publishes against the catalogue. It contains what the engine is given, so that a publish needs one
// allocation for both.
type publication struct {
	engine.Publication
	service *Service
	caller  Caller
	locate  func(i int, err error) error
}

// Check implements engine.Checker. The second check also covers the caller's key: that it was deleted or replaced can be what changed the catalogue.
// Its decision is final: it is based on a state newer than the request, and a third check would let constant changes of the
// catalogue delay a publisher.
func (p *publication) Check(ctx context.Context, again bool) (revision int64, err error) {
	catalogue, err := p.service.directory.Catalogue(ctx)
	if err != nil {
		return 0, err
	}
	if again && !p.caller.Key.IsZero() {
		key, err := p.service.directory.Key(ctx, p.caller.Key)
		if err != nil {
			return 0, unknownKey(err)
		}
		if !p.caller.hasKey(key) {
			return 0, errUnauthenticated()
		}
	}
	return catalogue.Revision, p.fit(ctx, catalogue, again)
}

// maxFaults is the most faults that are reported of one batch.
const maxFaults = 20

// fit refuses drafts that do not fit the catalogue. Unless the catalogue was just read, the error has CodeStale if it has changed
// since. An event that was accepted once stays accepted under its id, whatever happens to its type.
func (p *publication) fit(ctx context.Context, catalogue *directory.Catalogue, justRead bool) error {
	checks := p.service.directory.Checks(p.Tenant, dataSizes(p.Events)...)
	defer checks.End()
	var (
		accepted acceptedEvents
		faults   []error
	)
	for i := range p.Events {
		d := &p.Events[i]
		cached, _ := catalogue.Type(d.Type)
		if cached != nil {
			d.Version = cached.Newest()
		}
		refusal := fitType(ctx, checks, cached, d)
		switch code := bellwire.CodeOf(refusal); {
		case code == "":
			continue
		case len(faults) > 0 && code != bellwire.CodeInvalid:
			return p.refuse(ctx, faults)
		case code == bellwire.CodeRateLimited, code == bellwire.CodeCanceled:
			return refusal // it is not about the draft
		}
		if cached == nil {
			refusal = unknownType("type", d.Type, catalogue, p.caller.may(Publish))
		}
		if !justRead {
			if err := p.requireCurrent(ctx, cached, d.Type); err != nil {
				return err
			}
		}
		if known, err := accepted.have(ctx, p, d); err != nil {
			return err
		} else if known {
			continue
		}
		faults = append(faults, p.locate(i, refusal))
		if len(faults) == maxFaults || bellwire.CodeOf(refusal) != bellwire.CodeInvalid {
			break
		}
	}
	return p.refuse(ctx, faults)
}

// requireCurrent returns an error with CodeStale if the cached event type is not the stored one.
func (p *publication) requireCurrent(ctx context.Context, cached *directory.CompiledType, name string) error {
	current, err := p.service.isCurrent(ctx, cached, name)
	if err != nil || current {
		return err
	}
	return bellwire.Errorf(bellwire.CodeStale, "the catalogue has changed since this node read it")
}

// refuse joins the faults. If the tenant does not exist, that is the error instead.
func (p *publication) refuse(ctx context.Context, faults []error) error {
	if len(faults) == 0 {
		return nil
	}
	if _, err := p.service.directory.Tenant(ctx, p.Tenant); err != nil {
		return err
	}
	return bellwire.Join(faults...)
}

// acceptedEvents are the digests of the stored events that have the ids of a publication. They are read on first use.
type acceptedEvents struct {
	read    bool
	digests map[string][32]byte
}

// have reports whether the same event is stored under the draft's id.
func (a *acceptedEvents) have(ctx context.Context, p *publication, d *Draft) (bool, error) {
	if !a.read {
		digests, err := p.service.digests(ctx, p.Tenant, p.Events)
		if err != nil {
			return false, err
		}
		a.read, a.digests = true, digests
	}
	digest, known := a.digests[d.IdempotencyKey]
	return known && bellwire.SameDigest(digest, bellwire.Digest(d.Type, d.Data)), nil
}

func dataSizes(drafts []Draft) []int {
	sizes := make([]int, len(drafts))
	for i := range drafts {
		sizes[i] = len(drafts[i].Data)
	}
	return sizes
}

// fitType refuses a draft whose type cannot be published, which has expired, or whose data does not fit the type's schema.
func fitType(ctx context.Context, checks *directory.Checks, t *directory.CompiledType, d *Draft) error {
	switch {
	case t == nil:
		return bellwire.Invalid("type", "%.128q is not a known event type", d.Type)
	case t.Archived:
		return bellwire.Invalid("type", "%q is archived; events of this type cannot be published", d.Type)
	}
	if bellwire.Expired(d.ExpiresAt, now()) {
		return bellwire.Invalid("expires_at", "must be in the future")
	}
	return checks.Validate(ctx, t, d.Data)
}

// validateDraft refuses drafts that are not valid for any event type.
func (s *Service) validateDraft(d *Draft) error {
	if len(d.Data) > s.maxEventBytes {
		return tooLarge("data", "must have at most %s bytes, but has %s", bellwire.Number(s.maxEventBytes), bellwire.Number(len(d.Data)))
	}
	var faults []error
	if d.Type == "" {
		faults = append(faults, bellwire.Invalid("type", "is required"))
	}
	if err := checkNotOperational("type", d.Type); err != nil {
		faults = append(faults, err)
	}
	if len(d.Data) == 0 {
		faults = append(faults, bellwire.Invalid("data", "is required; it may be null"))
	}
	if err := CheckIdempotencyKey("id", d.IdempotencyKey); err != nil {
		faults = append(faults, err)
	}
	if err := checkOrderingKey(d.OrderingKey); err != nil {
		faults = append(faults, err)
	}
	if y := d.OccurredAt.UTC().Year(); !d.OccurredAt.IsZero() && (y < 1970 || y > 9999) {
		faults = append(faults, bellwire.Invalid("occurred_at", "must be between the years 1970 and 9999"))
	}
	return bellwire.Join(append(faults, validateSchedule(d)...)...)
}

// validateSchedule returns what is wrong with when an event is to be delivered.
func validateSchedule(d *Draft) (faults []error) {
	const day = 24 * time.Hour
	if d.DeliverAt.After(now().Add(bellwire.MaxDeliverIn)) {
		faults = append(faults, bellwire.Invalid("deliver_at", "must be at most %d days ahead", bellwire.MaxDeliverIn/day))
	}
	switch {
	case d.ExpiresAt.IsZero():
	case d.ExpiresAt.UTC().Year() > 9999:
		faults = append(faults, bellwire.Invalid("expires_at", "must be before the year 10000"))
	case !d.DeliverAt.IsZero() && !d.ExpiresAt.After(d.DeliverAt):
		faults = append(faults, bellwire.Invalid("expires_at", "must be after deliver_at"))
	}
	return faults
}

// CheckIdempotencyKey refuses a text that cannot be an idempotency key.
func CheckIdempotencyKey(field, key string) error {
	return checkKey(field, key, bellwire.MaxIdempotencyKey)
}

func checkOrderingKey(key string) error {
	return checkKey("ordering_key", key, bellwire.MaxOrderingKey)
}

// checkKey refuses a text that is too long or cannot be printed.
func checkKey(field, key string, most int) error {
	if len(key) > most && utf8.RuneCountInString(key) > most {
		return bellwire.Invalid(field, "must have at most %d characters", most)
	}
	for _, r := range key {
		if r == utf8.RuneError || !unicode.IsPrint(r) {
			return bellwire.Invalid(field, "must have printable characters only")
		}
	}
	return nil
}
