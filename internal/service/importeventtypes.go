package service

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// ImportedType is an event type of another system.
type ImportedType struct {
	EventTypeInput
	Name      string
	Older     []NewVersion // the versions before the newest, the first one first
	CreatedAt time.Time    // zero: now
}

// EventType imports an event type.
func (i *Import) EventType(ctx context.Context, line int, in ImportedType) error {
	unchanged, err := i.eventType(ctx, line, in)
	return i.done(ctx, ImportEventType, unchanged, err)
}

func (i *Import) eventType(ctx context.Context, line int, in ImportedType) (unchanged bool, err error) {
	t, err := i.service.newEventType(ctx, in.Name, in.EventTypeInput)
	if err := bellwire.Join(err, checkImportTime(in.CreatedAt)); err != nil {
		i.expectType(in.Name, in.Group, len(in.Older)+1)
		return false, err
	}
	if err := i.first(line, ImportEventType, t.Name); err != nil {
		return false, err
	}
	if !in.CreatedAt.IsZero() {
		t.CreatedAt = bellwire.StoredTime(in.CreatedAt)
	}
	steps, err := i.service.steps(ctx, t, in.Older)
	if err != nil {
		i.expectType(t.Name, t.Group, len(in.Older)+1)
		return false, err
	}
	stored, err := i.service.store.EventType(ctx, t.Name)
	done := 0 // versions that are stored
	switch {
	case err == nil:
		done = stored.Newest().Of()
		same := steps[min(done, len(steps))-1] // an earlier import may have ended between two versions
		if err := differing("event type", comparedType(stored), comparedType(same)); err != nil || done >= len(steps) {
			return true, err
		}
	case bellwire.CodeOf(err) != bellwire.CodeNotFound:
		return false, err
	}
	if i.checks(ctx) {
		i.expectType(t.Name, t.Group, len(steps))
		return false, nil
	}
	defer i.service.directory.ForgetCatalogue()
	for _, step := range steps[done:] {
		if stored != nil { // its versions have the revisions that added them
			step.Revision = stored.Revision
			for k := range step.Older[:len(stored.Older)] {
				step.Older[k].Since = stored.Older[k].Since
			}
			step.Older[len(stored.Older)].Since = stored.Since
		}
		if err := i.service.store.ReplaceEventType(ctx, step); err != nil {
			return false, err
		}
		if stored, err = i.service.store.EventType(ctx, t.Name); err != nil {
			return false, err
		}
	}
	return false, nil
}

// expectType does for an event type what expectTenant does for a tenant.
func (i *Import) expectType(name, group string, newest int) {
	if i.dryRun && bellwire.CheckEventTypeName(name) == nil {
		i.coming.types[name], i.coming.newest[name] = group, newest
	}
}

// steps returns an event type as it was with its first version, and with each that was added.
func (s *Service) steps(ctx context.Context, newest *bellwire.EventType, older []NewVersion) (steps []*bellwire.EventType, err error) {
	if len(older) == 0 {
		return []*bellwire.EventType{newest}, nil
	}
	if err := s.checkReleases(ctx); err != nil {
		return nil, err
	}
	for i := range len(older) + 1 {
		made := newest
		if i < len(older) {
			if made, err = s.newEventType(ctx, newest.Name, EventTypeInput{Schema: older[i].Schema, Example: older[i].Example}); err != nil {
				return nil, inField(fmt.Sprintf("older_versions[%d]", i), err)
			}
		}
		step := *newest
		step.Schema, step.Example = made.Schema, made.Example
		if i > 0 {
			added, err := withVersion(steps[i-1], made, older[i-1].Converter)
			if err != nil {
				return nil, inField(fmt.Sprintf("older_versions[%d].converter", i-1), err)
			}
			step = *added
			step.Older[i-1].Until = time.Time{} // the other system added it at a time of its own
		}
		steps = append(steps, &step)
	}
	return steps, nil
}

func comparedType(t *bellwire.EventType) map[string]any {
	fields := fieldsOfEventType(t)
	delete(fields, "schema_bytes")
	fields["schema"], fields["example"] = compacted(t.Schema), compacted(t.Example)
	for i, v := range t.Older {
		fields[fmt.Sprintf("older_versions[%d]", i)] = []string{compacted(v.Schema), compacted(v.Example), v.Converter}
	}
	return fields
}

// compacted returns JSON without the space around its tokens.
func compacted(value json.RawMessage) string {
	var b bytes.Buffer
	if json.Compact(&b, value) != nil { // it is empty
		return string(value)
	}
	return b.String()
}
