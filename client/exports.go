package client

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// ExportOptions choose what an export has.
type ExportOptions struct {
	Tenant   string    // only this tenant; empty: all
	Since    time.Time // only events that were accepted since; zero: all
	NoEvents bool
	Secrets  bool // with secrets; the server's audit log says so
}

// Export returns what the server has as NDJSON, in the format that Import takes. The caller must close it. Reading it fails if the
// export was not completed. The timeout of the HTTP client does not apply, because an export can take minutes: use ctx.
func (c *Client) Export(ctx context.Context, o ExportOptions) (io.ReadCloser, error) {
	query := make(url.Values)
	if o.Tenant != "" {
		query.Set("tenant", o.Tenant)
	}
	if !o.Since.IsZero() {
		query.Set("since", o.Since.UTC().Format(time.RFC3339Nano))
	}
	if o.NoEvents {
		query.Set("events", "false")
	}
	if o.Secrets {
		query.Set("secrets", "true")
	}
	address := c.base + "/exports"
	if len(query) > 0 {
		address += "?" + query.Encode()
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, err
	}
	request.Header.Set("Authorization", "Bearer "+c.key)
	request.Header.Set("User-Agent", c.userAgent)
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
	return response.Body, nil
}
