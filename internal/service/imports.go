package service

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/maphash"
	"log/slog"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/limits"
)

// Bounds on imports. A chunk of events is one transaction, which others wait for.
const (
	importChunk      = 250
	importChunkBytes = 1 << 20   // of data
	importMemory     = 1 << 20   // the most events, and the most names, of one import that are compared with each other
	MaxImportFaults  = 100       // that are listed
	importSlack      = time.Hour // between the time in an id that is kept and that of its event
)

// The kinds of what can be imported.
const (
	ImportTenant    = "tenant"
	ImportKey       = "key"
	ImportEventType = "event_type"
	ImportEndpoint  = "endpoint"
	ImportEvent     = "event"
)

// ImportKinds are all kinds.
var ImportKinds = []string{ImportTenant, ImportKey, ImportEventType, ImportEndpoint, ImportEvent}

// ImportFault is what is wrong with a line.
type ImportFault struct {
	Line    int
	Field   string // empty: the line itself
	Message string
}

// ImportReport says what an import has done, or would do.
type ImportReport struct {
	Created, Unchanged map[string]int // by kind
	// PastRetention counts the created events that the next clean-up deletes: those accepted before RetainedSince, or that the tenant's
	// own retention ends.
	PastRetention int
	RetainedSince time.Time     // zero: the server keeps all events
	Faults        []ImportFault // the first MaxImportFaults
	FaultCount    int
}

// ImportedTenant is a tenant of another system.
type ImportedTenant struct {
	NewTenant
	CreatedAt time.Time // zero: now
	LeftOut   []string  // what the export did not have of the tenant
}

// ImportedKey is a key of another system. It has a Secret, or the SHA-256 of one.
type ImportedKey struct {
	NewKey
	Tenant    string
	CreatedAt time.Time // zero: now
}

// ImportedType is an event type of another system.
type ImportedType struct {
	EventTypeInput
	Name      string
	Older     []NewVersion // the versions before the newest, the first one first
	CreatedAt time.Time    // zero: now
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

// Import is one import. It is not safe for concurrent use. The methods that import a line return what is wrong with it, which is for Fault.
// In the context of bellwire.DryRun they only look for that, because the caller knows a fault of the line.
type Import struct {
	// Tell receives every fault when it is found; nil: the report is enough. Its error ends the import.
	Tell func(ImportFault) error

	service *Service
	caller  Caller
	dryRun  bool
	report  ImportReport
	coming  coming
	chunk   importingChunk
	seed    maphash.Seed
	ids     map[uint64]importedLine // by all but the last two bytes of the id
	keys    map[uint64]importedLine // by tenant and idempotency key
}

// coming holds the names that earlier lines of the import contain. A dry run also puts what it would create here.
type coming struct {
	tenants map[string]*bellwire.Tenant
	types   map[string]string         // groups by names of event types
	newest  map[string]int            // versions, by names of event types
	ids     map[string]int            // lines, by kind and id
	more    map[string]bellwire.Usage // of tenants
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

// BeginImport begins an import. A dry run changes nothing. Only one import runs at a time on a node. The caller must call End.
func (s *Service) BeginImport(ctx context.Context, c Caller, dryRun bool) (*Import, error) {
	if err := authorize(c, Manage); err != nil {
		return nil, err
	}
	if !s.importing.TryLock() {
		return nil, &bellwire.Error{
			Code: bellwire.CodeUnavailable, Message: "another import is running; try again when it has ended", RetryAfter: importRetryAfter,
		}
	}
	i := newImport(s, c)
	i.dryRun = dryRun
	return i, nil
}

func newImport(s *Service, c Caller) *Import {
	var retained time.Time
	if s.retention > 0 {
		retained = now().Add(-s.retention)
	}
	return &Import{
		service: s, caller: c, seed: maphash.MakeSeed(), ids: make(map[uint64]importedLine), keys: make(map[uint64]importedLine),
		report: ImportReport{RetainedSince: retained, Created: make(map[string]int), Unchanged: make(map[string]int)},
		coming: coming{
			tenants: make(map[string]*bellwire.Tenant), types: make(map[string]string), newest: make(map[string]int), ids: make(map[string]int), more: make(map[string]bellwire.Usage),
		},
	}
}

const importRetryAfter = 5 * time.Second

// Fault adds what is wrong with a line. An error that is not about the line is returned.
func (i *Import) Fault(line int, err error) error {
	known, ok := errors.AsType[*bellwire.Error](err)
	if !ok {
		return err
	}
	switch known.Code {
	case bellwire.CodeMalformed, bellwire.CodeInvalid, bellwire.CodeConflict, bellwire.CodeNotFound, bellwire.CodeTooLarge, bellwire.CodeForbidden:
	default:
		return err
	}
	faults := known.Faults
	if len(faults) == 0 {
		faults = []*bellwire.Error{known}
	}
	for _, fault := range faults {
		found := ImportFault{Line: line, Field: fault.Field, Message: fault.Message}
		if i.report.FaultCount++; len(i.report.Faults) < MaxImportFaults {
			i.report.Faults = append(i.report.Faults, found)
		}
		if i.Tell == nil {
			continue
		}
		if err := i.Tell(found); err != nil {
			return err
		}
	}
	return nil
}

// Faulty reports whether a line was found to be wrong.
func (i *Import) Faulty() bool { return i.report.FaultCount > 0 }

// DryRun returns a dry run of the same lines. It must be finished before i is used, and not ended.
func (i *Import) DryRun() *Import {
	check := newImport(i.service, i.caller)
	check.dryRun = true
	return check
}

// Finish imports what is left, adds the import to the audit log unless it has changed nothing, and reports.
func (i *Import) Finish(ctx context.Context) (*ImportReport, error) {
	err := i.flush(ctx)
	if i.dryRun || len(i.report.Created) == 0 {
		return &i.report, err
	}
	// An import that was interrupted has changed something, too.
	late, cancel := context.WithTimeout(context.WithoutCancel(ctx), importAuditTimeout)
	defer cancel()
	created, unchanged := make(map[string]any), make(map[string]any)
	for kind, n := range i.report.Created {
		created[kind] = n
	}
	for kind, n := range i.report.Unchanged {
		unchanged[kind] = n
	}
	after := map[string]any{"created": created, "unchanged": unchanged, "faults": i.report.FaultCount}
	e := i.service.auditEntry(late, i.caller, "", bellwire.AuditImport, "imports")
	var faults error
	if e.After, faults = encodeMembers(after); faults != nil {
		return &i.report, errors.Join(err, faults)
	}
	i.service.changed(late, i.caller, bellwire.AuditImport, slog.Any("created", i.report.Created))
	return &i.report, errors.Join(err, i.service.store.AppendAudit(late, e, 0))
}

const importAuditTimeout = 10 * time.Second

// End ends the import.
func (i *Import) End() { i.service.importing.Unlock() }

// done counts a line without faults, which was created unless it is unchanged.
func (i *Import) done(ctx context.Context, kind string, unchanged bool, err error) error {
	switch {
	case err != nil || bellwire.IsDryRun(ctx):
	case unchanged:
		i.report.Unchanged[kind]++
	default:
		i.report.Created[kind]++
	}
	return err
}

// checks reports whether a line is only checked.
func (i *Import) checks(ctx context.Context) bool { return i.dryRun || bellwire.IsDryRun(ctx) }

// first refuses a second line about the same thing, because one of them would be lost.
func (i *Import) first(line int, kind, id string) error {
	if before, again := i.seen(line, kind+" "+id); again {
		return bellwire.Errorf(bellwire.CodeConflict, "the %s %q is in line %d already", strings.ReplaceAll(kind, "_", " "), id, before)
	}
	return nil
}

// seen returns the earlier line with a name, or remembers the name.
func (i *Import) seen(line int, name string) (before int, again bool) {
	if before, again = i.coming.ids[name]; !again && len(i.coming.ids) < importMemory {
		i.coming.ids[name] = line
	}
	return before, again
}

// checkImportTime refuses a time of creation that cannot be.
func checkImportTime(at time.Time) error {
	switch {
	case at.IsZero():
		return nil
	case at.Year() < 1970:
		return bellwire.Invalid("created_at", "must not be before the year 1970")
	case at.After(now().Add(time.Second)):
		return bellwire.Invalid("created_at", "must not be in the future")
	}
	return nil
}

// differing returns an error unless all members are equal.
func differing(kind string, stored, given map[string]any, but ...string) error {
	var names []string
	for name, value := range given {
		if slices.Contains(but, name) {
			continue
		}
		same, err := equalMembers(stored[name], value)
		if err != nil {
			return err
		}
		if !same && !(isNothing(stored[name]) && isNothing(value)) {
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		return nil
	}
	slices.Sort(names)
	return bellwire.Errorf(bellwire.CodeConflict, "the %s exists and differs in %s; an import changes nothing that exists", kind, strings.Join(names, ", "))
}

// isNothing reports whether a member is nil, or an empty map or list.
func isNothing(v any) bool {
	switch r := reflect.ValueOf(v); r.Kind() {
	case reflect.Invalid:
		return true
	case reflect.Map, reflect.Slice:
		return r.Len() == 0
	case reflect.Pointer:
		return r.IsNil()
	}
	return false
}

// requireImportTenant returns the limits of a tenant that is stored or was in an earlier line.
func (i *Import) requireImportTenant(ctx context.Context, id string) (*bellwire.Limits, error) {
	if t := i.coming.tenants[id]; t != nil {
		return i.service.directory.LimitsOf(t), nil
	}
	if err := inField("tenant", bellwire.CheckTenantID(id)); err != nil {
		return nil, err
	}
	held, err := i.service.directory.Limits(ctx, id)
	if bellwire.CodeOf(err) == bellwire.CodeNotFound {
		return nil, bellwire.Invalid("tenant", "%q does not exist, and no line before this one creates it", id)
	}
	return held, err
}

// Tenant imports a tenant.
func (i *Import) Tenant(ctx context.Context, line int, in ImportedTenant) error {
	unchanged, err := i.tenant(ctx, line, in)
	return i.done(ctx, ImportTenant, unchanged, err)
}

func (i *Import) tenant(ctx context.Context, line int, in ImportedTenant) (unchanged bool, err error) {
	t, err := i.service.newTenant(ctx, in.NewTenant)
	if err := bellwire.Join(err, checkImportTime(in.CreatedAt)); err != nil {
		if _, unknown := i.service.directory.Limits(ctx, in.ID); bellwire.CodeOf(unknown) == bellwire.CodeNotFound {
			i.expectTenant(&bellwire.Tenant{ID: in.ID})
		}
		return false, err
	}
	if t.ID == bellwire.OperationsTenant {
		return false, bellwire.Invalid("id", "must not be %q, which is reserved", t.ID)
	}
	if err := i.first(line, ImportTenant, t.ID); err != nil {
		return false, err
	}
	if !in.CreatedAt.IsZero() {
		t.CreatedAt = bellwire.StoredTime(in.CreatedAt)
	}
	stored, err := i.service.store.Tenant(ctx, t.ID)
	switch {
	case err == nil:
		return true, i.compareTenant(stored, t, in.LeftOut)
	case bellwire.CodeOf(err) != bellwire.CodeNotFound:
		return false, err
	}
	if len(in.LeftOut) > 0 {
		return false, bellwire.Invalid("left_out", "names what the export did not have (%s), so that the tenant cannot be created as it was; export with secrets, "+
			"or remove left_out to create the tenant without that", strings.Join(in.LeftOut, ", "))
	}
	if i.checks(ctx) {
		i.expectTenant(t)
		return false, nil
	}
	if err := i.service.store.CreateTenant(ctx, t); err != nil {
		return false, err
	}
	i.service.directory.ForgetTenant(t.ID)
	return false, nil
}

// expectTenant has the lines behind that of a tenant know it in a dry run, so that they are checked as they will be imported, or are not
// blamed for its faults.
func (i *Import) expectTenant(t *bellwire.Tenant) {
	if i.dryRun && bellwire.CheckTenantID(t.ID) == nil {
		i.coming.tenants[t.ID] = t
	}
}

// compareTenant returns an error if a stored tenant differs from the one of a line. What the export did not have is not compared.
func (i *Import) compareTenant(stored, given *bellwire.Tenant, leftOut []string) error {
	was, is := membersOfTenant(stored), membersOfTenant(given)
	for _, of := range []struct {
		members map[string]any
		tenant  *bellwire.Tenant
	}{{was, stored}, {is, given}} {
		opened, err := i.service.openAuths(given.ID, of.tenant.Dialects)
		if err != nil {
			return err
		}
		of.members["dialects"] = withoutAuths(opened, func(name string) bool { return slices.Contains(leftOut, authMember(name)) })
	}
	return differing("tenant", was, is)
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
	members := membersOfEventType(t)
	delete(members, "schema_bytes")
	members["schema"], members["example"] = compacted(t.Schema), compacted(t.Example)
	for i, v := range t.Older {
		members[fmt.Sprintf("older_versions[%d]", i)] = []string{compacted(v.Schema), compacted(v.Example), v.Converter}
	}
	return members
}

// compacted returns JSON without the space around its tokens.
func compacted(value json.RawMessage) string {
	var b bytes.Buffer
	if json.Compact(&b, value) != nil { // it is empty
		return string(value)
	}
	return b.String()
}

// Key imports a key.
func (i *Import) Key(ctx context.Context, line int, in ImportedKey) error {
	unchanged, err := i.key(ctx, line, &in)
	return i.done(ctx, ImportKey, unchanged, err)
}

func (i *Import) key(ctx context.Context, line int, in *ImportedKey) (unchanged bool, err error) {
	var (
		held   *bellwire.Limits
		nobody error
	)
	if in.Tenant != "" {
		held, nobody = i.requireImportTenant(ctx, in.Tenant)
	}
	key, err := i.service.importedKey(ctx, in)
	if err := bellwire.Join(nobody, err); err != nil {
		return false, err
	}
	stored, err := i.storedKey(ctx, line, key, in.ID)
	if err != nil {
		return false, err
	}
	if stored != nil {
		if stored.Tenant != key.Tenant {
			return false, bellwire.Errorf(bellwire.CodeConflict, "the id or the secret is that of the key %s of another owner", stored.ID)
		}
		was, is := membersOfKey(stored), membersOfKey(key)
		was["secret"], is["secret"] = stored.Hash, key.Hash
		return true, differing("key", was, is)
	}
	if held != nil {
		more := i.coming.more[in.Tenant]
		if err := i.checkRoomFor(ctx, in.Tenant, limits.Keys, held, func(u *bellwire.Usage) int { return u.Keys + more.Keys }); err != nil {
			return false, err
		}
		if i.dryRun {
			more.Keys++
			i.coming.more[in.Tenant] = more
		}
	}
	if i.checks(ctx) {
		return false, nil
	}
	if err := i.service.store.CreateKey(ctx, key); err != nil {
		return false, err
	}
	i.service.foreignKeys.lookups.Forget(key.Hash)
	i.service.forget(key.Tenant)
	return false, nil
}

// checkRoomFor applies a limit on the number of something that a tenant has.
func (i *Import) checkRoomFor(ctx context.Context, tenant string, l *limits.Limit, held *bellwire.Limits, count func(*bellwire.Usage) int) error {
	usage := new(bellwire.Usage)
	if i.coming.tenants[tenant] == nil {
		var err error
		if usage, err = i.service.store.Usage(ctx, tenant); err != nil {
			return err
		}
	}
	return checkUsage(l, held, count(usage))
}

// importedKey returns the key of a line.
func (s *Service) importedKey(ctx context.Context, in *ImportedKey) (*bellwire.Key, error) {
	faults := []error{
		checkLine("name", in.Name, bellwire.MaxNameLength), checkRole(in.Tenant, in.Role), checkOwnSecret(&in.NewKey), s.checkScopes(in.Role, in.Scopes), checkImportTime(in.CreatedAt), checkSecretHash(&in.NewKey),
	}
	if in.Secret == "" && in.SecretSHA256 == nil {
		faults = append(faults, bellwire.Invalid("secret", "is required, or secret_sha256"))
	}
	if err := bellwire.Join(faults...); err != nil {
		return nil, err
	}
	key := &bellwire.Key{ID: in.ID, Tenant: in.Tenant, Name: in.Name, Role: in.Role, Scopes: bellwire.ScopesOf(in.Scopes), CreatedAt: now(), ExpiresAt: in.ExpiresAt}
	if !in.CreatedAt.IsZero() {
		key.CreatedAt = bellwire.StoredTime(in.CreatedAt)
	}
	if key.ID.IsZero() {
		key.ID = bellwire.NewID[bellwire.KeyKind](key.CreatedAt)
	}
	return key, s.setSecret(ctx, key, &in.NewKey)
}

// storedKey returns the stored key with the id or the secret of a line, nil if there is none. id is zero if the line has none.
func (i *Import) storedKey(ctx context.Context, line int, key *bellwire.Key, id bellwire.KeyID) (*bellwire.Key, error) {
	if before, again := i.seen(line, "secret "+string(key.Hash[:])); again {
		return nil, bellwire.Invalid("secret", "is that of the key in line %d, too", before)
	}
	if !id.IsZero() {
		if err := i.first(line, ImportKey, id.String()); err != nil {
			return nil, err
		}
		stored, err := i.service.store.Key(ctx, id)
		if bellwire.CodeOf(err) != bellwire.CodeNotFound {
			return stored, err
		}
	}
	stored, err := i.service.store.KeyByHash(ctx, key.Hash)
	switch {
	case bellwire.CodeOf(err) == bellwire.CodeNotFound:
		return nil, nil
	case err == nil && !id.IsZero():
		return nil, bellwire.Invalid("secret", "is that of the key %s", stored.ID)
	}
	return stored, err
}
