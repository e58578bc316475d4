package client

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"time"
)

// ImportReport says what an import has done, or what a dry run would do.
type ImportReport struct {
	Lines     int          `json:"lines"`
	Created   ImportCounts `json:"created"`
	Unchanged ImportCounts `json:"unchanged"` // existed already
	// PastRetention counts the created events from before RetainedSince: the server's next clean-up deletes them.
	PastRetention int           `json:"past_retention"`
	RetainedSince *time.Time    `json:"retained_since"` // nil: the server keeps all events
	FaultCount    int           `json:"fault_count"`
	Faults        []ImportFault `json:"faults"` // the first 100; CheckImport gives all
}

// ImportCounts counts what was imported.
type ImportCounts struct {
	Tenants    int `json:"tenants"`
	Keys       int `json:"keys"`
	EventTypes int `json:"event_types"`
	Endpoints  int `json:"endpoints"`
	Events     int `json:"events"`
}

// ImportFault is what is wrong with a line.
type ImportFault struct {
	Line    int    `json:"line"`
	Field   string `json:"field"` // empty if it is the whole line
	Message string `json:"message"`
}

// Import imports NDJSON, one object a line, as docs/moving-in.md describes it. A dry run changes nothing, and reports how many faults
// there are. Otherwise a fault is an *Error with the field lines[N]. The timeout of the HTTP client does not apply, because an import can take
// minutes: use ctx. Import can be repeated: what exists is left as it is.
func (c *Client) Import(ctx context.Context, lines io.Reader, dryRun bool) (*ImportReport, error) {
	answer, err := c.sendImport(ctx, lines, dryRun, "application/json")
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	return readReport(answer)
}

func readReport(answer *http.Response) (*ImportReport, error) {
	report := new(ImportReport)
	if err := json.NewDecoder(answer.Body).Decode(report); err != nil {
		return nil, misread(http.MethodPost, importRoute, err)
	}
	return report, nil
}

// CheckImport makes a dry run, and calls each with every fault when the server finds it. The first error of each ends it.
func (c *Client) CheckImport(ctx context.Context, lines io.Reader, each func(ImportFault) error) (*ImportReport, error) {
	answer, err := c.sendImport(ctx, lines, true, ndjson)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	if answer.Header.Get("Content-Type") != ndjson { // an older server
		report, err := readReport(answer)
		if err != nil {
			return nil, err
		}
		for _, fault := range report.Faults {
			if err := each(fault); err != nil {
				return nil, err
			}
		}
		return report, nil
	}
	for decoder := json.NewDecoder(answer.Body); ; {
		var line struct {
			Fault  *ImportFault  `json:"fault"`
			Report *ImportReport `json:"report"`
		}
		switch err := decoder.Decode(&line); {
		case errors.Is(err, io.EOF):
			return nil, misread(http.MethodPost, importRoute, io.ErrUnexpectedEOF)
		case err != nil:
			return nil, misread(http.MethodPost, importRoute, err)
		case line.Report != nil:
			return line.Report, nil
		case line.Fault == nil:
			continue
		}
		if err := each(*line.Fault); err != nil {
			return nil, err
		}
	}
}

const (
	importRoute = "/imports"
	ndjson      = "application/x-ndjson"
)

// sendImport sends lines, and returns the answer, whose body the caller must close.
func (c *Client) sendImport(ctx context.Context, lines io.Reader, dryRun bool, accept string) (*http.Response, error) {
	address := c.base + importRoute
	if dryRun {
		address += "?dry_run=true"
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, address, lines)
	if err != nil {
		return nil, err
	}
	request.Header.Set("Authorization", "Bearer "+c.key)
	request.Header.Set("User-Agent", c.userAgent)
	request.Header.Set("Content-Type", ndjson)
	request.Header.Set("Accept", accept)
	patient := *c.http
	patient.Timeout = 0
	response, err := patient.Do(request)
	if err != nil {
		return nil, notReached(strings.TrimSuffix(c.base, apiPath), err)
	}
	if response.StatusCode != http.StatusOK {
		defer response.Body.Close()
		return nil, readError(response)
	}
	return response, nil
}
