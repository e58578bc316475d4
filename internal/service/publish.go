package service

import (
	"context"
	"fmt"
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
	if err := s.checkDraft(&d); err != nil {
		return Receipt{}, err
	}
	receipts, err := s.take(ctx, c, tenant, []Draft{d}, func(_ int, err error) error { return err })
	if err != nil {
		return Receipt{}, err
	}
	return receipts[0], nil
}

// BeginReading waits until a publication of the given size may be parsed, if that takes long. The caller must call end when it is
// parsed. Its error has CodeRateLimited if too many are waiting.
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
	size, err := s.checkDrafts(drafts)
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

// checkDrafts applies checkDraft to a batch, and returns its size in bytes of data.
func (s *Service) checkDrafts(drafts []Draft) (size int, err error) {
	var faults []error
	for i := range drafts {
		err := s.checkDraft(&drafts[i])
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

// locateConflict returns the conflict as one about the event of the batch whose id was used before, in the batch or earlier, for
// another event.
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
		if used[d.IdempotencyKey] != digest {
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

// take checks the drafts against the catalogue and passes them to the engine. If the catalogue has changed in between, possibly
// because the caller's key was deleted, it is read again. What is decided then is final, because that state is newer than the
// request, so that constant changes of the catalogue cannot delay a publisher. locate says in which event an error is.
func (s *Service) take(ctx context.Context, c Caller, tenant string, drafts []Draft, locate func(int, error) error) ([]Receipt, error) {
	if err := s.allowEvents(ctx, tenant, len(drafts)); err != nil {
		return nil, err
	}
	p := &publication{service: s, caller: c, locate: locate}
	p.Tenant, p.Events, p.Checks = tenant, drafts, p
	return s.engine.Publish(ctx, &p.Publication)
}

// publication is what a caller publishes.
type publication struct {
	engine.Publication
	service *Service
	caller  Caller
	locate  func(int, error) error
}

// Check checks the drafts against the catalogue. The second time it checks the caller's key too.
func (p *publication) Check(ctx context.Context, again bool) (revision int64, err error) {
	catalogue, err := p.service.directory.Catalogue(ctx)
	if err != nil {
		return 0, err
	}
	if again && !p.caller.Key.IsZero() {
		if _, err := p.service.directory.Key(ctx, p.caller.Key); err != nil {
			return 0, unknownKey(err)
		}
	}
	stale, err := p.service.check(ctx, p.caller, p.Tenant, catalogue, again, p.Events, p.locate)
	if stale {
		err = bellwire.Errorf(bellwire.CodeStale, "the catalogue has changed since this node read it")
	}
	return catalogue.Revision, err
}

// maxFaults is the most faults that are reported of one batch.
const maxFaults = 20

// check refuses drafts that do not fit the catalogue, and reports whether the catalogue is stale, unless it was read just now.
// An event that was accepted once stays accepted under its id, whatever has become of its type.
func (s *Service) check(ctx context.Context, c Caller, tenant string, catalogue *directory.Catalogue, justRead bool, drafts []Draft, locate func(int, error) error) (stale bool, err error) {
	sizes := make([]int, len(drafts))
	for i := range drafts {
		sizes[i] = len(drafts[i].Data)
	}
	checks := s.directory.Checks(tenant, sizes...)
	defer checks.End()
	var (
		accepted map[string][32]byte
		asked    bool
		faults   []error
	)
	for i := range drafts {
		d := &drafts[i]
		cached, _ := catalogue.Type(d.Type)
		refusal := fit(ctx, checks, cached, d)
		switch code := bellwire.CodeOf(refusal); {
		case code == "":
			continue
		case len(faults) > 0 && code != bellwire.CodeInvalid:
			return false, s.refuse(ctx, tenant, bellwire.Join(faults...))
		case code == bellwire.CodeRateLimited, code == bellwire.CodeCanceled:
			return false, refusal // which is not about the draft
		}
		if cached == nil {
			refusal = unknownType("type", d.Type, catalogue, allows(c.Role, Publish))
		}
		if !justRead {
			current, err := s.isCurrent(ctx, cached, d.Type)
			if err != nil || !current {
				return err == nil, err
			}
		}
		if !asked {
			if accepted, err = s.digests(ctx, tenant, drafts); err != nil {
				return false, err
			}
			asked = true
		}
		if digest, known := accepted[d.IdempotencyKey]; known && digest == bellwire.Digest(d.Type, d.Data) {
			continue
		}
		faults = append(faults, locate(i, refusal))
		if len(faults) == maxFaults || bellwire.CodeOf(refusal) != bellwire.CodeInvalid {
			break
		}
	}
	if len(faults) > 0 {
		return false, s.refuse(ctx, tenant, bellwire.Join(faults...))
	}
	return false, nil
}

// fit refuses a draft whose type cannot be published, or whose data does not fit the type.
func fit(ctx context.Context, checks *directory.Checks, t *directory.CompiledType, d *Draft) error {
	switch {
	case t == nil:
		return bellwire.Invalid("type", "%.128q is not a known event type", d.Type)
	case t.Archived:
		return bellwire.Invalid("type", "%q is archived; events of this type cannot be published", d.Type)
	}
	return checks.Check(ctx, t, d.Data)
}

// refuse returns the refusal, unless the tenant does not exist.
func (s *Service) refuse(ctx context.Context, tenant string, refusal error) error {
	if _, err := s.directory.Tenant(ctx, tenant); err != nil {
		return err
	}
	return refusal
}

// checkDraft refuses drafts that are not valid for any event type.
func (s *Service) checkDraft(d *Draft) error {
	if len(d.Data) > s.maxEventBytes {
		return tooLarge("data", "must have at most %s bytes, but has %s", bellwire.Number(s.maxEventBytes), bellwire.Number(len(d.Data)))
	}
	var faults []error
	if d.Type == "" {
		faults = append(faults, bellwire.Invalid("type", "is required"))
	}
	if len(d.Data) == 0 {
		faults = append(faults, bellwire.Invalid("data", "is required; it may be null"))
	}
	if err := CheckIdempotencyKey("id", d.IdempotencyKey); err != nil {
		faults = append(faults, err)
	}
	if y := d.OccurredAt.UTC().Year(); !d.OccurredAt.IsZero() && (y < 1970 || y > 9999) {
		faults = append(faults, bellwire.Invalid("occurred_at", "must be between the years 1970 and 9999"))
	}
	return bellwire.Join(faults...)
}

// CheckIdempotencyKey refuses a text that cannot be an idempotency key.
func CheckIdempotencyKey(field, key string) error {
	if len(key) > bellwire.MaxIdempotencyKey && utf8.RuneCountInString(key) > bellwire.MaxIdempotencyKey {
		return bellwire.Invalid(field, "must have at most %d characters", bellwire.MaxIdempotencyKey)
	}
	for _, r := range key {
		if r == utf8.RuneError || !unicode.IsPrint(r) {
			return bellwire.Invalid(field, "must have printable characters only")
		}
	}
	return nil
}
