package service

import (
	"context"
	"errors"
	"hash/maphash"
	"log/slog"
	"strings"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// Bounds on imports. A chunk of events is one transaction, which others wait for.
const (
	importChunk      = 250
	importChunkBytes = 1 << 20   // of data
	importMemory     = 1 << 20   // the most events, and the most names, of one import that are compared with each other
	MaxImportFaults  = 100       // that are listed
	importSlack      = time.Hour // between the time in an id that is kept and that of its event, which may be much later if the id is of Bellwire's form
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
	if e.After, faults = encodeFields(after); faults != nil {
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
