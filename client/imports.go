package client

import (
	"context"
	"encoding/json"
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
	Faults        []ImportFault `json:"faults"` // the first 100
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

// Import imports NDJSON, one object a line, as docs/moving-in.md describes it. A dry run changes nothing, and reports all faults.
// Otherwise a fault is an *Error with the field lines[N]. The timeout of the HTTP client does not apply, because an import can take
// minutes: use ctx. Import can be repeated: what exists is left as it is.
func (c *Client) Import(ctx context.Context, lines io.Reader, dryRun bool) (*ImportReport, error) {
	const route = "/imports"
	address := c.base + route
	if dryRun {
		address += "?dry_run=true"
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, address, lines)
	if err != nil {
		return nil, err
	}
	request.Header.Set("Authorization", "Bearer "+c.key)
	request.Header.Set("User-Agent", c.userAgent)
	request.Header.Set("Content-Type", "application/x-ndjson")
	patient := *c.http
	patient.Timeout = 0
	response, err := patient.Do(request)
	if err != nil {
		return nil, notReached(strings.TrimSuffix(c.base, apiPath), err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, readError(response)
	}
	report := new(ImportReport)
	if err := json.NewDecoder(response.Body).Decode(report); err != nil {
		return nil, misread(http.MethodPost, route, err)
	}
	return report, nil
}
