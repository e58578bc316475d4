package client

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// Client calls one server with one key. It is safe for concurrent use.
type Client struct {
	base      string
	key       string
	http      *http.Client
	userAgent string
	attempts  int
}

// Option configures a Client.
type Option func(*Client)

// WithHTTPClient makes the Client send its requests with h, which follows no redirect.
func WithHTTPClient(h *http.Client) Option { return func(c *Client) { c.http = h } }

// WithUserAgent sets the User-Agent of all requests.
func WithUserAgent(name string) Option { return func(c *Client) { c.userAgent = name } }

// WithAttempts sets how often Publish and PublishBatch send a request at most; the default is 5.
func WithAttempts(n int) Option { return func(c *Client) { c.attempts = max(1, n) } }

const (
	apiPath         = "/api/v1"
	defaultAttempts = 5
	defaultTimeout  = time.Minute // of one request with its response
	connections     = 64          // kept open to the server
)

// New returns a Client for the server at baseURL, such as "https://webhooks.example.com".
func New(baseURL, key string, options ...Option) (*Client, error) {
	u, err := url.Parse(baseURL)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return nil, fmt.Errorf("%q must be a server's URL such as https://webhooks.example.com", baseURL)
	}
	c := &Client{
		base: strings.TrimRight(baseURL, "/") + apiPath, key: key,
		userAgent: "bellwire-go", attempts: defaultAttempts,
	}
	for _, option := range options {
		option(c)
	}
	if c.http == nil {
		transport := http.DefaultTransport.(*http.Transport).Clone()
		transport.MaxIdleConnsPerHost = connections
		c.http = &http.Client{Transport: transport, Timeout: defaultTimeout}
	}
	direct := *c.http
	direct.CheckRedirect = func(*http.Request, []*http.Request) error {
		return http.ErrUseLastResponse // a GET would follow, and its answer would be taken for that of the call
	}
	c.http = &direct
	return c, nil
}

type idempotencyKey struct{}

// WithIdempotencyKey returns a context for a call that creates or does something, such as CreateEndpoint, RotateSecret or
// RetryDelivery. The same call with the same key is carried out once within 24 hours, and gets the same answer, so it can be
// repeated if no answer arrived. Use a new key for each call. Publish takes the key as the ID of a publication that has none, and
// PublishBatch takes the key, a slash and the publication's place in the batch, from 0.
func WithIdempotencyKey(ctx context.Context, key string) context.Context {
	return context.WithValue(ctx, idempotencyKey{}, key)
}

func idempotencyKeyOf(ctx context.Context) string {
	key, _ := ctx.Value(idempotencyKey{}).(string)
	return key
}

type ifMatch struct{}

// WithIfMatch returns a context for a call that changes an endpoint, an event type or a tenant. The change is made only if it still
// has the version that ETag had when it was read; otherwise the call fails with CodePreconditionFailed.
func WithIfMatch(ctx context.Context, etag string) context.Context {
	return context.WithValue(ctx, ifMatch{}, etag)
}

// versioned is an answer that has a version.
type versioned interface{ setVersion(etag string) }

// call sends in as JSON unless it is nil, and decodes the response into out unless that is nil.
func (c *Client) call(ctx context.Context, method, path string, in, out any) error {
	var body []byte
	if in != nil {
		var err error
		if body, err = json.Marshal(in); err != nil {
			return err
		}
	}
	return c.send(ctx, method, path, body, out)
}

// request returns a request with the client's key.
func (c *Client) request(ctx context.Context, method, path string, body []byte) (*http.Request, error) {
	request, err := http.NewRequestWithContext(ctx, method, c.base+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Authorization", "Bearer "+c.key)
	request.Header.Set("User-Agent", c.userAgent)
	return request, nil
}

// server returns the server's URL.
func (c *Client) server() string { return strings.TrimSuffix(c.base, apiPath) }

func (c *Client) send(ctx context.Context, method, path string, body []byte, out any) error {
	request, err := c.request(ctx, method, path, body)
	if err != nil {
		return err
	}
	if key := idempotencyKeyOf(ctx); key != "" && method == http.MethodPost {
		request.Header.Set("Idempotency-Key", key)
	}
	if etag, ok := ctx.Value(ifMatch{}).(string); ok && (method == http.MethodPut || method == http.MethodPatch) {
		request.Header.Set("If-Match", etag)
	}
	if body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	response, err := c.http.Do(request)
	if err != nil {
		return notReached(c.server(), err)
	}
	defer response.Body.Close()
	if response.StatusCode/100 != 2 {
		return readError(response)
	}
	if out == nil {
		_, err = io.Copy(io.Discard, response.Body) // so that the connection can be used again
	} else {
		err = json.NewDecoder(response.Body).Decode(out)
	}
	if err != nil {
		return misread(method, path, err)
	}
	if v, ok := out.(versioned); ok {
		v.setVersion(response.Header.Get("ETag"))
	}
	return nil
}

// path joins escaped segments.
func path(segments ...string) string {
	var b strings.Builder
	for _, s := range segments {
		b.WriteByte('/')
		b.WriteString(url.PathEscape(s))
	}
	return b.String()
}

func inTenant(tenant string, segments ...string) string {
	return path("tenants", tenant) + path(segments...)
}
