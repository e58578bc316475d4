package main

import (
	"bytes"
	"context"
	"net/http"
	"strings"
	"time"

	"golang.org/x/time/rate"
)

// Pages of metrics are made once in scrapeEvery on average, and up to scrapeBurst in a row, so that several scrapers that come
// at the same moment do not wait.
const (
	scrapeEvery = 100 * time.Millisecond
	scrapeBurst = 10
)

// scrapes renders one page of metrics for all concurrent requests, and a bounded number of pages a second of each format, because
// the page needs no key. A page is never older than the request that it answers.
type scrapes struct{ plain, openMetrics format }

// openMetrics is the media type of the format that has exemplars.
const openMetrics = "application/openmetrics-text"

func newScrapes(metrics http.Handler) *scrapes {
	return &scrapes{plain: newFormat(metrics, ""), openMetrics: newFormat(metrics, openMetrics+"; version=1.0.0")}
}

// ServeHTTP writes a page.
func (s *scrapes) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if strings.Contains(r.Header.Get("Accept"), openMetrics) {
		s.openMetrics.ServeHTTP(w, r)
		return
	}
	s.plain.ServeHTTP(w, r)
}

// format renders pages of one format.
type format struct {
	metrics http.Handler
	request *http.Request
	turn    chan struct{} // holds a token while the fields below are in use
	pages   *rate.Limiter // one token is one page

	begun time.Time // when rendering of page began
	page  *page
}

func newFormat(metrics http.Handler, accept string) format {
	return format{
		metrics: metrics, turn: make(chan struct{}, 1), pages: rate.NewLimiter(rate.Every(scrapeEvery), scrapeBurst),
		request: &http.Request{Method: http.MethodGet, Header: http.Header{"Accept": {accept}}},
	}
}

// ServeHTTP writes a page.
func (s *format) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	page, err := s.get(r.Context())
	if err != nil {
		return // the client has gone
	}
	for name, values := range page.header {
		w.Header()[name] = values
	}
	w.WriteHeader(page.status)
	_, _ = w.Write(page.body.Bytes()) // the client may be gone
}

func (s *format) get(ctx context.Context) (*page, error) {
	asked := time.Now()
	select {
	case s.turn <- struct{}{}:
		defer func() { <-s.turn }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if s.page != nil && s.begun.After(asked) {
		return s.page, nil
	}
	if err := s.pages.Wait(ctx); err != nil {
		return nil, err
	}
	s.begun = time.Now()
	// The page is for other requests too, so it must not depend on the first one's context.
	made := &page{header: http.Header{}, status: http.StatusOK}
	s.metrics.ServeHTTP(made, s.request.WithContext(context.WithoutCancel(ctx)))
	s.page = made
	return made, nil
}

// page is a recorded response.
type page struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (p *page) Header() http.Header         { return p.header }
func (p *page) WriteHeader(status int)      { p.status = status }
func (p *page) Write(b []byte) (int, error) { return p.body.Write(b) }
