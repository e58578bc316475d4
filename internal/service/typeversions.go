package service

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"maps"
	"slices"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/directory"
	"github.com/bellwire/bellwire/internal/filter"
	"github.com/bellwire/bellwire/internal/match"
)

// NewVersion is a version to be added to an event type.
type NewVersion struct {
	Schema    json.RawMessage // empty or null for any data
	Example   json.RawMessage // empty or null for none
	Converter string          // makes data of the version before of data of this one
}

// AddVersion adds a version to an event type, which is published from then on. Endpoints that exist get the one before.
func (s *Service) AddVersion(ctx context.Context, c Caller, name string, in NewVersion) (*bellwire.EventType, error) {
	if err := authorize(c, Manage); err != nil {
		return nil, err
	}
	if err := s.checkReleases(ctx); err != nil {
		return nil, err
	}
	made, err := s.newEventType(ctx, name, EventTypeInput{Schema: in.Schema, Example: in.Example})
	if err != nil {
		return nil, err
	}
	t, _, err := s.changeEventType(ctx, c, name, func(stored *bellwire.EventType) (*bellwire.EventType, error) {
		if stored == nil {
			return nil, bellwire.NotFound(kindEventType, name)
		}
		return withVersion(stored, made, in.Converter)
	})
	return t, err
}

// withVersion returns an event type with one version more, which has the schema and the example of another type.
func withVersion(stored, made *bellwire.EventType, converter string) (*bellwire.EventType, error) {
	t := *stored
	t.Older = append(slices.Clone(stored.Older), bellwire.OlderVersion{
		Schema: stored.Schema, Example: stored.Example, Converter: converter, Since: stored.Since, Until: made.UpdatedAt,
	})
	t.Schema, t.Example, t.UpdatedAt, t.Since = made.Schema, made.Example, made.UpdatedAt, bellwire.SinceNow
	if len(t.Older) >= bellwire.MaxVersions {
		return nil, bellwire.Errorf(bellwire.CodeConflict, "event type %q has %d versions, which is the most", t.Name, len(t.Older))
	}
	return &t, bellwire.Join(checkVersionBytes(&t), checkLastConverter(&t))
}

func checkVersionBytes(t *bellwire.EventType) error {
	bytes := 0
	for i := range t.Older {
		bytes += len(t.Older[i].Schema) + len(t.Older[i].Example) + len(t.Older[i].Converter)
	}
	if bytes <= bellwire.MaxVersionBytes {
		return nil
	}
	return tooLarge("versions", "must have at most %s bytes of schemas, examples and converters in the versions before the newest, but have %s",
		bellwire.Number(bellwire.MaxVersionBytes), bellwire.Number(bytes))
}

// PutConverter replaces the converter of an older version of an event type.
func (s *Service) PutConverter(ctx context.Context, c Caller, name string, number int, converter string) (*bellwire.EventType, error) {
	if err := authorize(c, Manage); err != nil {
		return nil, err
	}
	if err := checkNotOperational("name", name); err != nil {
		return nil, err
	}
	t, _, err := s.changeEventType(ctx, c, name, func(stored *bellwire.EventType) (*bellwire.EventType, error) {
		if stored == nil {
			return nil, bellwire.NotFound(kindEventType, name)
		}
		if number < 1 || number > len(stored.Older) {
			return nil, bellwire.Errorf(bellwire.CodeNotFound, "event type %q has no converter to version %d; its newest version is %d", name, number, stored.Newest().Of())
		}
		t := *stored
		t.Older = slices.Clone(stored.Older)
		t.Older[number-1].Converter = converter
		t.UpdatedAt = now()
		return &t, bellwire.Join(checkVersionBytes(&t), checkConverter(&t, number))
	})
	return t, err
}

// checkLastConverter checks the converter from the newest version, if there is one.
func checkLastConverter(t *bellwire.EventType) error {
	if len(t.Older) == 0 {
		return nil
	}
	return checkConverter(t, len(t.Older))
}

// checkConverter compiles the converter to an older version of an event type, and tries it on the example of the next version. Its
// error has CodeInvalid.
func checkConverter(t *bellwire.EventType, number int) error {
	older, next := &t.Older[number-1], *t
	if number < len(t.Older) {
		next.Schema, next.Example = t.Older[number].Schema, t.Older[number].Example
	}
	const field = "converter"
	if len(bytes.TrimSpace([]byte(older.Converter))) == 0 {
		return bellwire.Invalid(field, "is required: a CEL expression that makes data of version %d of data of version %d, such as data.without([\"new\"])", number, number+1)
	}
	compiled, err := filter.NewConverter(older.Converter, &next)
	if err != nil {
		return renameFields(err, func(string) string { return field })
	}
	if len(next.Example) == 0 {
		return nil
	}
	at := now()
	made, _, err := compiled.Convert(&bellwire.Event{Type: t.Name, Data: next.Example, IdempotencyKey: "example", CreatedAt: at, OccurredAt: at})
	if err != nil {
		return bellwire.Invalid(field, "cannot convert the example of version %d: %s", number+1, err.Error())
	}
	compiledType, err := directory.CompileType(&bellwire.EventType{Name: t.Name, Schema: older.Schema})
	if err != nil {
		return err
	}
	if err := compiledType.ValidateAs("data", made); err != nil {
		return bellwire.Invalid(field, "makes of the example of version %d what does not fit the schema of version %d: %s", number+1, number, reasonOf(err))
	}
	return nil
}

// checkReleases refuses to add a version while a node of another release runs: an older one sends the data of the newest version to
// all endpoints, and does not record which version it publishes.
func (s *Service) checkReleases(ctx context.Context) error {
	nodes, err := s.store.Nodes(ctx)
	if err != nil {
		return err
	}
	for _, n := range nodes {
		if n.Name != s.process.Node && n.Alive() && n.Version != s.process.Version {
			return &bellwire.Error{
				Code:    bellwire.CodeConflict,
				Message: "node " + n.Name + " runs another release of Bellwire, which may not know versions of event types",
				Hint:    "Upgrade all nodes first.",
			}
		}
	}
	return nil
}

// checkReaders refuses a change that breaks what readers of the event type rely on, if there are any: endpoints that subscribe to it,
// and events that they may have got.
func (s *Service) checkReaders(ctx context.Context, stored, t *bellwire.EventType) error {
	broken := directory.Breaks(stored.Schema, t.Schema)
	if broken == nil {
		return nil
	}
	read, err := s.isRead(ctx, t.Name)
	if err != nil || !read {
		return err
	}
	return withHint(broken, "Add it as a new version with a converter (POST /event-types/{name}/versions), so that endpoints keep what they have; or repeat it with force=true.")
}

func withHint(err error, hint string) error {
	if e, ok := errors.AsType[*bellwire.Error](err); ok {
		hinted := *e
		hinted.Hint = hint
		return &hinted
	}
	return err
}

// isRead reports whether an endpoint subscribes to an event type of which there are events.
func (s *Service) isRead(ctx context.Context, name string) (bool, error) {
	endpoints, err := s.store.Patterns(ctx, bellwire.MaxSearched)
	if err != nil {
		return false, err
	}
	subscribes := slices.ContainsFunc(endpoints, func(texts []string) bool {
		patterns, err := match.Compile(texts)
		return err == nil && patterns.Match(name)
	})
	if !subscribes && len(endpoints) < bellwire.MaxSearched {
		return false, nil
	}
	events, err := s.store.AllEvents(ctx, bellwire.EventFilter{Type: name}, false, bellwire.Page{Limit: 1})
	if err != nil {
		return false, err
	}
	return len(events.Items) > 0 || events.Next != "", nil
}

// applyVersions sets the versions of event types that an endpoint gets. Types without one keep theirs.
func (s *Service) applyVersions(ctx context.Context, ep *bellwire.Endpoint, in *EndpointInput) error {
	if len(in.Versions) == 0 {
		return nil
	}
	chosen := make(map[string]bellwire.Version, len(ep.Versions)+len(in.Versions))
	for name, v := range ep.Versions {
		chosen[name] = v
	}
	var faults []error
	for _, name := range slices.Sorted(maps.Keys(in.Versions)) {
		v, err := s.chosenVersion(ctx, name, in)
		switch {
		case err == nil:
			chosen[name] = v
			continue
		case bellwire.CodeOf(err) != bellwire.CodeInvalid:
			return err
		}
		if faults = append(faults, err); len(faults) == maxFaults { // the store was asked for each
			break
		}
	}
	if len(chosen) > MaxChosenVersions {
		faults = append(faults, bellwire.Invalid("versions", "must be of at most %s event types", bellwire.Number(MaxChosenVersions)))
	}
	ep.Versions = chosen
	return bellwire.Join(faults...)
}

// chosenVersion returns the version of an event type that the input chooses.
func (s *Service) chosenVersion(ctx context.Context, name string, in *EndpointInput) (v bellwire.Version, err error) {
	number := in.Versions[name]
	if number >= 1 && number <= in.coming.newestOf(name) {
		return bellwire.Version{Number: number}, nil // in a dry run, which stores nothing
	}
	t, v, ok, err := s.typeWithVersion(ctx, name, number)
	switch field := "versions." + name; {
	case err != nil:
		return v, err
	case t == nil:
		return v, bellwire.Invalid(field, "must be the version of a known event type")
	case !ok:
		return v, bellwire.Invalid(field, "must be between 1 and %d, the newest version", t.Newest().Of())
	}
	return v, nil
}

// MaxChosenVersions is the most event types of which an endpoint can choose the version.
const MaxChosenVersions = 1000

// TypeVersion is the version of an event type that an endpoint gets.
type TypeVersion struct {
	EventType string
	Version   int
	Newest    int
	Chosen    bool // for the endpoint; else it was the newest when the endpoint was created
}

// EndpointVersions returns the versions that an endpoint gets of the event types that it subscribes to and that have several.
func (s *Service) EndpointVersions(ctx context.Context, c Caller, tenant, id string) ([]TypeVersion, error) {
	if err := authorizeIn(c, Read, tenant); err != nil {
		return nil, err
	}
	ep, err := s.endpoint(ctx, tenant, id)
	if err != nil {
		return nil, err
	}
	patterns, err := match.Compile(ep.Events)
	if err != nil {
		return nil, err
	}
	return s.versionsOf(ctx, ep, patterns.Match)
}

// versionsOf returns the versions that an endpoint gets of event types with several.
func (s *Service) versionsOf(ctx context.Context, ep *bellwire.Endpoint, of func(eventType string) bool) ([]TypeVersion, error) {
	catalogue, err := s.directory.Catalogue(ctx)
	if err != nil {
		return nil, err
	}
	versions := []TypeVersion{}
	for _, name := range catalogue.Names() {
		t, _ := catalogue.Type(name)
		if len(t.Older) == 0 || !of(name) {
			continue
		}
		_, chosen := ep.Versions[name]
		versions = append(versions, TypeVersion{name, t.VersionAt(ep.At(name)), t.Newest().Of(), chosen})
	}
	return versions, nil
}

// effectiveVersions returns the numbers of the versions that an endpoint gets, or would get if it were created now, by event type.
func (s *Service) effectiveVersions(ctx context.Context, ep *bellwire.Endpoint) (map[string]int, error) {
	versions, err := s.versionsOf(ctx, ep, func(string) bool { return true })
	numbers := make(map[string]int, len(versions))
	for _, v := range versions {
		numbers[v.EventType] = v.Version
		if ep.Revision == 0 && !v.Chosen {
			numbers[v.EventType] = v.Newest
		}
	}
	return numbers, err
}

// importedVersion returns the version of an imported event. If its type is not in the catalogue, the event is sent as it is.
func (s *Service) importedVersion(ctx context.Context, in *ImportedEvent) (bellwire.Version, error) {
	if in.Version <= 1 {
		return bellwire.Version{}, nil
	}
	t, v, ok, err := s.typeWithVersion(ctx, in.Type, in.Version)
	if err != nil || t == nil {
		return bellwire.Version{}, err
	}
	if !ok {
		return v, bellwire.Invalid("version", "must be between 1 and %d, the newest version of the event type", t.Newest().Of())
	}
	return v, nil
}

// seenBy returns an event type with the schema of the version that an endpoint gets. A new endpoint gets the newest.
func seenBy(ep *bellwire.Endpoint, t *directory.CompiledType) *bellwire.EventType {
	if len(t.Older) == 0 || ep == nil {
		return &t.EventType
	}
	if _, chosen := ep.Versions[t.Name]; !chosen && ep.Revision == 0 {
		return &t.EventType
	}
	return t.OfVersion(t.VersionAt(ep.At(t.Name)))
}

// convert returns an event as an endpoint gets it, and how many steps that took. The error has CodeInvalid if its data cannot be
// converted.
func (s *Service) convert(ctx context.Context, ep *bellwire.Endpoint, e *bellwire.Event) (made *bellwire.Event, steps int, err error) {
	if !ep.GetsOlder(e) {
		return e, 0, nil
	}
	conversion, err := s.directory.Conversion(ctx, ep, e)
	if err != nil || conversion == nil {
		return e, 0, err
	}
	return conversion.Convert(e)
}
