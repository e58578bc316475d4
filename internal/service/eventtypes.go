package service

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"log/slog"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/directory"
	"github.com/bellwire/bellwire/internal/limits"
	"github.com/bellwire/bellwire/internal/suggest"
)

// Bounds on event types. Every node has the catalogue in memory.
const (
	MaxSchemaBytes       = 256 << 10
	MaxDescriptionLength = 4096 // bytes, of an event type or endpoint
)

// EventTypeInput has the fields of an event type, except its name.
type EventTypeInput struct {
	Description string
	Group       string
	Schema      json.RawMessage // empty or null for any data
	Example     json.RawMessage // empty or null for none
	Archived    bool
	Force       bool // change the schema even if that breaks readers
}

// PutEventType creates or replaces an event type, and reports whether it was created. What replaces the schema of the newest version
// must keep what that guarantees, unless the input is forced; see directory.Breaks.
func (s *Service) PutEventType(ctx context.Context, c Caller, name string, in EventTypeInput) (t *bellwire.EventType, created bool, err error) {
	if err := authorize(c, Manage); err != nil {
		return nil, false, err
	}
	made, err := s.newEventType(ctx, name, in)
	if err != nil {
		return nil, false, err
	}
	return s.changeEventType(ctx, c, name, func(stored *bellwire.EventType) (*bellwire.EventType, error) {
		t := *made
		if stored == nil {
			return &t, nil
		}
		t.Older, t.Since = stored.Older, stored.Since
		if err := checkLastConverter(&t); err != nil {
			return nil, err
		}
		if in.Force {
			return &t, nil
		}
		return &t, s.checkReaders(ctx, stored, &t)
	})
}

// changeTries is how often a change of an event type is made again because the type was changed at the same time.
const changeTries = 10

// changeEventType stores what change makes of the stored event type, which is nil if it does not exist, if the condition of the
// context holds. It reports whether the type was created.
func (s *Service) changeEventType(ctx context.Context, c Caller, name string, change func(stored *bellwire.EventType) (*bellwire.EventType, error)) (t *bellwire.EventType, created bool, err error) {
	for range changeTries {
		created, err = s.tryChange(ctx, c, name, change)
		_, conditional := ctx.Value(matchKey{}).(Match)
		if bellwire.CodeOf(err) != bellwire.CodeStale || conditional {
			break
		}
	}
	if bellwire.CodeOf(err) == bellwire.CodeStale {
		err = errChanged(kindEventType)
	}
	if err != nil {
		return nil, false, err
	}
	s.directory.ForgetCatalogue()
	s.changed(ctx, c, "event-type.put", slog.String("type", name))
	if t, err = s.store.EventType(ctx, name); err != nil {
		return nil, false, err
	}
	return t, created, nil
}

const kindEventType = "event type"

// tryChange is changeEventType for the event type as it is now. The error has CodeStale if it is changed at the same time.
func (s *Service) tryChange(ctx context.Context, c Caller, name string, change func(stored *bellwire.EventType) (*bellwire.EventType, error)) (created bool, err error) {
	stored, err := s.store.EventType(ctx, name)
	var before map[string]any
	switch {
	case err == nil:
		before = fieldsOfEventType(stored)
		err = checkMatch(ctx, kindEventType, EventTypeVersion(stored))
	case bellwire.CodeOf(err) == bellwire.CodeNotFound:
		stored, err = nil, checkMayCreate(ctx, kindEventType)
	}
	if err != nil {
		return false, err
	}
	t, err := change(stored)
	if err != nil {
		return false, err
	}
	if stored != nil {
		t.Revision, t.CreatedAt = stored.Revision, stored.CreatedAt
	}
	return stored == nil, s.store.ReplaceEventType(s.audit(ctx, c, "", "event-type.put", name, before, fieldsOfEventType(t)), t)
}

// newEventType checks the input, and returns the event type that it describes.
func (s *Service) newEventType(ctx context.Context, name string, in EventTypeInput) (*bellwire.EventType, error) {
	if err := s.checkEventType(ctx, name, &in); err != nil {
		return nil, err
	}
	t := &bellwire.EventType{
		Name: name, Group: in.Group, Description: in.Description,
		Schema: in.Schema, Example: in.Example, Archived: in.Archived,
		CreatedAt: now(),
	}
	t.UpdatedAt = t.CreatedAt
	compiled, err := directory.CompileType(t)
	if err != nil {
		return nil, err
	}
	if err := compiled.CheckCost(); err != nil {
		return nil, err
	}
	if len(in.Example) == 0 {
		return t, nil
	}
	return t, compiled.ValidateAs("example", in.Example)
}

func (s *Service) checkEventType(ctx context.Context, name string, in *EventTypeInput) error {
	if err := cmp.Or(bellwire.CheckEventTypeName(name), checkNotOperational("name", name)); err != nil {
		return err
	}
	for _, document := range []*json.RawMessage{&in.Schema, &in.Example} { // as answers write what there is none of
		if bytes.Equal(bytes.TrimSpace(*document), []byte("null")) {
			*document = nil
		}
	}
	err := bellwire.Join(
		checkLines("description", in.Description, MaxDescriptionLength),
		checkLine("group", in.Group, bellwire.MaxNameLength),
		checkJSON("schema", in.Schema, MaxSchemaBytes),
		checkJSON("example", in.Example, s.maxEventBytes),
	)
	if err != nil {
		return err
	}
	catalogue, err := s.directory.Catalogue(ctx)
	if err != nil {
		return err
	}
	if _, known := catalogue.Type(name); known {
		return nil
	}
	return checkUsage(limits.EventTypes, s.directory.LimitsOf(&bellwire.Tenant{}), catalogue.Len())
}

func checkJSON(field string, value json.RawMessage, limit int) error {
	switch {
	case len(value) == 0:
		return nil
	case len(value) > limit:
		return tooLarge(field, "must have at most %s bytes, but has %s", bellwire.Number(limit), bellwire.Number(len(value)))
	case !json.Valid(value):
		return bellwire.Invalid(field, "must be valid JSON")
	}
	return nil
}

// EventType returns an event type.
func (s *Service) EventType(ctx context.Context, c Caller, name string) (*bellwire.EventType, error) {
	if err := authorize(c, ReadCatalogue); err != nil {
		return nil, err
	}
	ctx, end, err := s.acquireRead(ctx, c)
	if err != nil {
		return nil, err
	}
	defer end()
	return s.store.EventType(ctx, name)
}

// EventTypes lists the catalogue.
func (s *Service) EventTypes(ctx context.Context, c Caller, page bellwire.Page) (*bellwire.List[*bellwire.EventType], error) {
	if err := authorize(c, ReadCatalogue); err != nil {
		return nil, err
	}
	if err := checkPage(&page); err != nil {
		return nil, err
	}
	ctx, end, err := s.acquireRead(ctx, c)
	if err != nil {
		return nil, err
	}
	defer end()
	return s.store.EventTypes(ctx, fitted(ctx, page))
}

// DeleteEventType deletes an event type. Its events and the subscriptions of endpoints to it remain.
func (s *Service) DeleteEventType(ctx context.Context, c Caller, name string) error {
	if err := authorize(c, Manage); err != nil {
		return err
	}
	if err := keepOperational(name); err != nil {
		return err
	}
	before, err := s.auditedEventType(ctx, name)
	if err != nil {
		return err
	}
	if err := s.store.DeleteEventType(s.audit(ctx, c, "", "event-type.delete", name, before, nil), name); err != nil {
		return err
	}
	s.directory.ForgetCatalogue()
	s.changed(ctx, c, "event-type.delete", slog.String("type", name))
	return nil
}

// usableType returns the event type if it exists and is not archived, and otherwise an error about the field, which suggests
// a similar name to callers that may browse the catalogue.
func (s *Service) usableType(ctx context.Context, field, name string, mayBrowse bool) (*directory.CompiledType, error) {
	catalogue, t, err := s.typeThat(ctx, name, func(t *directory.CompiledType) bool { return !t.Archived })
	switch {
	case err != nil:
		return nil, err
	case t == nil:
		return nil, unknownType(field, name, catalogue, mayBrowse)
	case t.Archived:
		return nil, bellwire.Invalid(field, "%q is archived; endpoints can no longer subscribe to it", name)
	}
	return t, nil
}

// typeWithVersion returns the event type, nil if it does not exist, and the version of it with a number, if there is one.
func (s *Service) typeWithVersion(ctx context.Context, name string, number int) (t *directory.CompiledType, v bellwire.Version, ok bool, err error) {
	_, t, err = s.typeThat(ctx, name, func(t *directory.CompiledType) bool { _, has := t.Version(number); return has })
	if t == nil || err != nil {
		return nil, v, false, err
	}
	v, ok = t.Version(number)
	return t, v, ok, nil
}

// typeThat returns an event type, nil if it does not exist, and the catalogue that it is from. If the cached one does not exist or does
// not fit, the store is asked, because another node may have just changed it.
func (s *Service) typeThat(ctx context.Context, name string, fits func(*directory.CompiledType) bool) (*directory.Catalogue, *directory.CompiledType, error) {
	catalogue, err := s.directory.Catalogue(ctx)
	if err != nil {
		return nil, nil, err
	}
	t, known := catalogue.Type(name)
	if known && fits(t) {
		return catalogue, t, nil
	}
	current, err := s.isCurrent(ctx, t, name)
	if err != nil || current {
		return catalogue, t, err
	}
	s.directory.ForgetCatalogueAt(catalogue.Revision)
	if catalogue, err = s.directory.Catalogue(ctx); err != nil {
		return nil, nil, err
	}
	t, _ = catalogue.Type(name)
	return catalogue, t, nil
}

// maxCompared is the size of the largest catalogue in which a similar name is looked for.
const maxCompared = 2000

// unknownType is the error for the name of an event type that does not exist. It suggests a similar one to callers that may
// browse the catalogue.
func unknownType(field, name string, catalogue *directory.Catalogue, mayBrowse bool) error {
	meant := ""
	if mayBrowse && catalogue.Len() <= maxCompared {
		meant = suggest.DidYouMean(name, catalogue.Names())
	}
	return bellwire.Invalid(field, "%.128q is not a known event type%s", name, meant)
}

// isCurrent reports whether the cached event type, nil for none, is the one that the store has under the name.
func (s *Service) isCurrent(ctx context.Context, cached *directory.CompiledType, name string) (bool, error) {
	stored, err := s.store.EventType(ctx, name)
	if bellwire.CodeOf(err) == bellwire.CodeNotFound {
		return cached == nil, nil
	}
	if err != nil {
		return false, err
	}
	return cached != nil && cached.Revision == stored.Revision, nil
}

// auditedEventType returns what the audit log shows of an event type before a change, nil if it does not exist.
func (s *Service) auditedEventType(ctx context.Context, name string) (map[string]any, error) {
	t, err := s.store.EventType(ctx, name)
	switch {
	case bellwire.CodeOf(err) == bellwire.CodeNotFound:
		return nil, nil
	case err != nil:
		return nil, err
	}
	return fieldsOfEventType(t), nil
}

// fieldsOfEventType returns what the audit log shows of an event type. Schemas and examples are too large for it.
func fieldsOfEventType(t *bellwire.EventType) map[string]any {
	return map[string]any{"description": t.Description, "group": t.Group, "archived": t.Archived, "schema_bytes": len(t.Schema), "version": t.Newest().Of()}
}
