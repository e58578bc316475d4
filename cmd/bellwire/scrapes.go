package main

import (
	"bytes"
	"context"
	"net/http"
	"time"
)

// scrapeEvery is the least time between two pages of metrics that are made.
const scrapeEvery = 100 * time.Millisecond

// scrapes makes one page of metrics for all who ask for it at the same time. It is never older than the question, and
// whoever asks without a key however often costs no more than ten pages a second.
type scrapes struct {
	metrics http.Handler
	turn    chan struct{} // holds a token while the members below are looked at

	begun time.Time // when the page began to be made
	page  *page
}

func newScrapes(metrics http.Handler) *scrapes {
	return &scrapes{metrics: metrics, turn: make(chan struct{}, 1)}
}

// ServeHTTP answers with a page.
func (s *scrapes) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	page, err := s.get(r.Context())
	if err != nil {
		return // the client has gone
	}
	for name, values := range page.header {
		w.Header()[name] = values
	}
	w.WriteHeader(page.status)
	_, _ = w.Write(page.body.Bytes()) // the client may be gone: nobody is left to tell
}

func (s *scrapes) get(ctx context.Context) (*page, error) {
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
	select {
	case <-time.After(time.Until(s.begun.Add(scrapeEvery))):
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	s.begun = time.Now()
	// It is for others too, so it must not end with the first one's context, nor have the form that it prefers.
	made := &page{header: http.Header{}, status: http.StatusOK}
	plain := &http.Request{Method: http.MethodGet, Header: http.Header{}}
	s.metrics.ServeHTTP(made, plain.WithContext(context.WithoutCancel(ctx)))
	s.page = made
	return made, nil
}

// page is an answer that is kept.
type page struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (p *page) Header() http.Header         { return p.header }
func (p *page) WriteHeader(status int)      { p.status = status }
func (p *page) Write(b []byte) (int, error) { return p.body.Write(b) }
