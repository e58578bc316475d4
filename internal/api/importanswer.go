package api

import (
	"errors"
	"fmt"
	"mime"
	"net/http"
	"strings"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/service"
)

// faultStream is the answer to a dry run as NDJSON: each fault when it is found, and the report last. So it has them all, however
// many there are, and keeps none.
type faultStream struct {
	w             http.ResponseWriter
	wanted, begun bool
}

// importAnswerLine is a line of the answer.
type importAnswerLine struct {
	Fault  *importFault  `json:"fault,omitempty" doc:"What is wrong with a line of the import."`
	Report *importReport `json:"report,omitempty" doc:"The last line. Without it, the answer is not complete."`
}

// isWanted reports whether the client asks for this form of the answer.
func (s *faultStream) isWanted(r *http.Request) bool {
	for accepted := range strings.SplitSeq(r.Header.Get("Accept"), ",") {
		if form, _, err := mime.ParseMediaType(accepted); err == nil && form == ndjsonType {
			return true
		}
	}
	return false
}

// begin begins the answer, while the client still sends.
func (s *faultStream) begin() {
	if s.begun {
		return
	}
	s.begun = true
	_ = http.NewResponseController(s.w).EnableFullDuplex() // what does not support it is duplex always, or a recorder in memory
	s.w.Header()["Content-Type"] = []string{ndjsonType}
}

func (s *faultStream) tell(fault service.ImportFault) error {
	s.begin()
	return s.line(importAnswerLine{Fault: (*importFault)(&fault)})
}

func (s *faultStream) end(report *importReport) error {
	s.begin()
	return s.line(importAnswerLine{Report: report})
}

func (s *faultStream) line(line importAnswerLine) error {
	text, err := marshal(nil, line)
	if err != nil {
		return err
	}
	if _, err := s.w.Write(append(text, '\n')); err != nil {
		return bellwire.Wrap(bellwire.CodeCanceled, err, "the client does not read the faults that are found")
	}
	return nil
}

// importReport is the answer.
type importReport struct {
	Lines     int          `json:"lines" doc:"Number of lines that were read."`
	Created   importCounts `json:"created" doc:"What was created, or with dry_run would be."`
	Unchanged importCounts `json:"unchanged" doc:"What existed already."`
	// PastRetention and RetainedSince tell what the server's retention makes of the events.
	PastRetention int           `json:"past_retention" doc:"How many of the created events the next clean-up deletes, which begins within a minute: those from before retained_since, or older than the event_retention of their tenant."`
	RetainedSince *time.Time    `json:"retained_since" nullable:"true" doc:"Events that were accepted earlier are deleted; null: none are."`
	FaultCount    int           `json:"fault_count" doc:"Number of faults. Always 0 without dry_run, because a faulty import is refused with 422."`
	Faults        []importFault `json:"faults" doc:"The first 100 faults. With Accept: application/x-ndjson, a dry run answers with all."`
}

type importCounts struct {
	Tenants    int `json:"tenants"`
	Keys       int `json:"keys"`
	EventTypes int `json:"event_types"`
	Endpoints  int `json:"endpoints"`
	Events     int `json:"events"`
}

type importFault struct {
	Line    int    `json:"line" example:"3"`
	Field   string `json:"field" example:"url" doc:"The field at fault; empty if it is the whole line."`
	Message string `json:"message" example:"must be an absolute http or https URL, such as https://example.com/hooks"`
}

func wireImport(r *service.ImportReport, lines int) *importReport {
	wire := &importReport{
		Lines: lines, Created: countsOf(r.Created), Unchanged: countsOf(r.Unchanged), PastRetention: r.PastRetention, RetainedSince: timeOrNull(r.RetainedSince), FaultCount: r.FaultCount, Faults: make([]importFault, len(r.Faults)),
	}
	for i, fault := range r.Faults {
		wire.Faults[i] = importFault(fault)
	}
	return wire
}

func countsOf(byKind map[string]int) importCounts {
	return importCounts{
		Tenants: byKind[service.ImportTenant], Keys: byKind[service.ImportKey], EventTypes: byKind[service.ImportEventType],
		Endpoints: byKind[service.ImportEndpoint], Events: byKind[service.ImportEvent],
	}
}

// progress says how much of an import was done before its first fault.
func (r *importReport) progress() string {
	c := r.Created
	return fmt.Sprintf("the lines before it were imported: %d tenants, %d keys, %d event types, %d endpoints and %d events; correct the line, and import the same file again",
		c.Tenants, c.Keys, c.EventTypes, c.Endpoints, c.Events)
}

// refusal returns the error of an import with faults.
func (r *importReport) refusal(done string) error {
	faults := make([]error, min(len(r.Faults), maxFaults))
	for i, fault := range r.Faults[:len(faults)] {
		field := fmt.Sprintf("lines[%d]", fault.Line)
		if fault.Field != "" {
			field += "." + fault.Field
		}
		faults[i] = bellwire.Invalid(field, "%s", fault.Message)
	}
	err := bellwire.Join(faults...)
	if known, ok := errors.AsType[*bellwire.Error](err); ok {
		known.Hint = fmt.Sprintf("The import has %d faults; %s.", r.FaultCount, done)
		if r.FaultCount == 1 {
			known.Hint = fmt.Sprintf("The import has one fault; %s.", done)
		}
	}
	return err
}
