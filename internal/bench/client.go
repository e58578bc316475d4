package bench

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"

	"golang.org/x/sync/errgroup"
)

func newClient(publishers int) *http.Client {
	return &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: publishers, MaxIdleConns: publishers}}
}

// poster posts bodies with a plain HTTP client. The baseline and the publishers use the same one, so its cost is the same for
// both.
type poster struct {
	client  *http.Client
	request *http.Request
	body    bytes.Reader
	answer  bytes.Buffer
}

func newPoster(ctx context.Context, c *http.Client) *poster {
	request := (&http.Request{Method: http.MethodPost, Header: http.Header{"Authorization": {"Bearer " + adminKey}}}).WithContext(ctx)
	return &poster{client: c, request: request}
}

// unexpectedStatus is an answer with another status than expected.
type unexpectedStatus struct {
	url    string
	status int
	answer string
}

func (e *unexpectedStatus) Error() string {
	return fmt.Sprintf("%s answered %d: %s", e.url, e.status, e.answer)
}

// post posts a body. It returns an unexpectedStatus if the answer has another status than wanted.
func (p *poster) post(to *url.URL, body []byte, want int) error {
	p.body.Reset(body)
	p.request.URL, p.request.Body, p.request.ContentLength = to, io.NopCloser(&p.body), int64(len(body))
	response, err := p.client.Do(p.request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	p.answer.Reset()
	if _, err := p.answer.ReadFrom(response.Body); err != nil {
		return err
	}
	if response.StatusCode != want {
		return &unexpectedStatus{url: to.String(), status: response.StatusCode, answer: p.answer.String()}
	}
	return nil
}

// parallel runs n calls of f concurrently.
func parallel(n int, f func() error) error {
	var group errgroup.Group
	for range n {
		group.Go(f)
	}
	return group.Wait()
}
