package bench

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/bellwire/bellwire/client"
)

// The data that pages are timed on.
const (
	pagesSpan   = 30 * 24 * time.Hour // in which the stored events were accepted
	failedEvery = 100                 // one in so many stored deliveries is exhausted
	pageTimes   = 15                  // how often each request is made
)

// pageReport is how long the API takes for what pages of the console ask for.
type pageReport []pageTime

// pageTime is the duration of a request, from its beginning to the end of the answer.
type pageTime struct {
	Name   string  `json:"name"`
	Median float64 `json:"median_ms"`
	Worst  float64 `json:"worst_ms"`
}

// pages times what pages of the console ask for, one request at a time.
func (b *benchmark) pages(ctx context.Context) (pageReport, error) {
	asked, err := b.pageRequests(ctx)
	if err != nil {
		return nil, err
	}
	var report pageReport
	for _, page := range asked {
		took := make([]time.Duration, pageTimes)
		for i := range took {
			started := time.Now()
			if _, err := b.ask(ctx, page.path); err != nil {
				return nil, err
			}
			took[i] = time.Since(started)
		}
		slices.Sort(took)
		report = append(report, pageTime{page.name, milliseconds(took[len(took)/2]), milliseconds(took[len(took)-1])})
	}
	return report, nil
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// pageRequest is what a page asks for, and the path and query of its request.
type pageRequest struct{ name, path string }

func (b *benchmark) pageRequests(ctx context.Context) ([]pageRequest, error) {
	api, err := client.New(b.servers[0].url, adminKey, client.WithHTTPClient(b.client))
	if err != nil {
		return nil, err
	}
	newest, err := api.Deliveries(ctx, tenantID(0), client.DeliveryFilter{}, client.Page{Limit: 1})
	if err != nil {
		return nil, err
	}
	if len(newest.Data) == 0 {
		return nil, fmt.Errorf("tenant %s has no delivery", tenantID(0))
	}
	one, of := newest.Data[0], "/tenants/"+tenantID(0)
	since := url.QueryEscape(time.Now().Add(-pagesSpan).UTC().Format(time.RFC3339))
	return []pageRequest{
		{"50 deliveries of all tenants", "/deliveries?limit=50"},
		{"50 exhausted ones of all tenants", "/deliveries?limit=50&status=exhausted"},
		{"50 deliveries of an endpoint", "/deliveries?limit=50&endpoint=" + b.ids[0]},
		{"50 deliveries by type", "/deliveries?limit=50&type=" + eventType},
		{"deliveries by an outcome that none has, of a tenant", of + "/deliveries?limit=50&outcome=tls"},
		{"one delivery with its attempts", of + "/deliveries/" + one.ID},
		{"one event with the reason for each endpoint", of + "/events/" + one.Event},
		{"50 events of a tenant", of + "/events?limit=50"},
		{"the same with what became of each", of + "/events?limit=50&outcomes=true"},
		{"events by a text that none contains, of a tenant", of + "/events?limit=50&contains=no-such-text"},
		{"events by a text that none contains, of all tenants", "/events?limit=50&contains=no-such-text"},
		{"failing endpoints of all tenants", "/endpoints?limit=50&health=failing"},
		{"statistics of 30 days by day and endpoint", "/statistics?interval=day&by=endpoint&since=" + since},
	}, nil
}

// ask makes a request of the API.
func (b *benchmark) ask(ctx context.Context, path string) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, b.servers[0].url+"/api/v1"+path, nil)
	if err != nil {
		return nil, err
	}
	request.Header.Set("Authorization", "Bearer "+adminKey)
	response, err := b.client.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("GET %s answered %d: %s", path, response.StatusCode, answer)
	}
	return answer, err
}

func (r pageReport) print(w io.Writer) error {
	if _, err := fmt.Fprintf(w, "\n  what a page asks for, median and worst of %d, in milliseconds\n", pageTimes); err != nil {
		return err
	}
	for _, page := range r {
		if _, err := fmt.Fprintf(w, "  %8.1f %8.1f   %s\n", page.Median, page.Worst, page.Name); err != nil {
			return err
		}
	}
	return nil
}
