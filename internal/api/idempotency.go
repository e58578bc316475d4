package api

import (
	"context"
	"crypto/sha256"
	"fmt"
	"net/http"
	"reflect"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/httpx"
	"github.com/bellwire/bellwire/internal/service"
)

const (
	idempotencyHeader = "Idempotency-Key"
	replayedHeader    = "Idempotent-Replayed" // tells a repeated response from the first
)

// idempotencyKey returns the value of the Idempotency-Key header, empty if there is none. It accepts a bare value, and a string in
// quotes as in draft-ietf-httpapi-idempotency-key-header.
func idempotencyKey(r *http.Request) (string, error) {
	values := r.Header.Values(idempotencyHeader)
	if len(values) == 0 {
		return "", nil
	}
	if len(values) > 1 {
		return "", refusedHeader("must be given once, but was given %d times", len(values))
	}
	key := strings.Trim(values[0], " \t")
	if strings.HasPrefix(key, `"`) {
		unquoted, ok := unquote(key)
		if !ok {
			return "", refusedHeader(`must be one string in quotes, such as "order-42", because it begins with a quote`)
		}
		key = unquoted
	}
	if key == "" {
		return "", refusedHeader("must not be empty")
	}
	return key, service.CheckIdempotencyKey(idempotencyHeader, key)
}

func refusedHeader(format string, args ...any) error {
	return bellwire.Invalid(idempotencyHeader, format, args...)
}

// unquote parses a string of RFC 8941, 3.3.3, in which a backslash escapes a quote or another backslash.
func unquote(s string) (string, bool) {
	if len(s) < 2 || !strings.HasSuffix(s, `"`) {
		return "", false
	}
	inner := s[1 : len(s)-1]
	var b strings.Builder
	for i := 0; i < len(inner); i++ {
		c := inner[i]
		if c == '"' {
			return "", false
		}
		if c == '\\' {
			i++
			if i == len(inner) || inner[i] != '"' && inner[i] != '\\' {
				return "", false
			}
			c = inner[i]
		}
		b.WriteByte(c)
	}
	return b.String(), true
}

// identify sets the id of an event to the request's key, unless it has one.
func identify(d *service.Draft, key string) error {
	switch {
	case key == "" || d.IdempotencyKey == key:
		return nil
	case d.IdempotencyKey != "":
		return bellwire.Invalid("id", "must equal the header %s, if both are given", idempotencyHeader)
	}
	d.IdempotencyKey = key
	return nil
}

// identifyAll makes a batch repeatable: events without an id get the request's key, a slash and their index.
func identifyAll(drafts []service.Draft, key string) error {
	if key == "" {
		return nil
	}
	for i := range drafts {
		if drafts[i].IdempotencyKey != "" {
			continue
		}
		drafts[i].IdempotencyKey = key + "/" + strconv.Itoa(i)
	}
	last := key + "/" + strconv.Itoa(len(drafts)-1)
	return service.CheckIdempotencyKey(idempotencyHeader, last)
}

// repeatable runs before the body of a POST is parsed. A request that has an idempotency key and was answered before gets the same
// answer again.
func (a *api) repeatable(ctx huma.Context, next func(huma.Context)) {
	r, w := humago.Unwrap(ctx)
	key, err := idempotencyKey(r)
	if err == nil && key == "" {
		next(ctx)
		return
	}
	if err == nil {
		err = a.once(ctx, key, next)
	}
	if err != nil {
		a.fail(w, r, err)
	}
}

// once carries a request out unless it was answered before.
func (a *api) once(ctx huma.Context, key string, next func(huma.Context)) error {
	r, _ := humago.Unwrap(ctx)
	body, err := httpx.ReadBody(r, maxConfigurationBody)
	if err != nil {
		return err
	}
	c := callOf(ctx.Context())
	request, reply, err := a.svc.BeginRequest(ctx.Context(), c.caller, key, requestDigest(r, body))
	if err != nil {
		return err
	}
	if reply != nil {
		c.replay(reply)
		return nil
	}
	defer request.End(ctx.Context())
	c.body, c.request = &body, request
	next(huma.WithValue(huma.WithContext(ctx, request.Context(ctx.Context())), callKey{}, c))
	return nil
}

// requestDigest identifies a request by its method, its URL and its body.
func requestDigest(r *http.Request, body []byte) [32]byte {
	h := sha256.New()
	fmt.Fprintf(h, "%s %s?%s\n", r.Method, r.URL.EscapedPath(), r.URL.RawQuery)
	h.Write(body)
	return [32]byte(h.Sum(nil))
}

// replay writes the response to a request that was made before.
func (c call) replay(reply *service.Reply) {
	_ = c.charge(len(reply.Body)) // as for the first response, which is sent in any case
	header := c.writer.Header()
	header.Set(replayedHeader, "true")
	if len(reply.Body) > 0 {
		header["Content-Type"] = jsonType
	}
	c.writer.WriteHeader(reply.Status)
	_, _ = c.writer.Write(reply.Body) // the client may be gone
}

// answered stores the response to the request for its repetitions, if there may be any.
func (c call) answered(ctx context.Context, op *huma.Operation, out any) {
	if c.request != nil {
		c.request.Answer(ctx, statusOf(op, out), *c.encoded)
	}
}

// statusOf returns the status of a successful response, as Huma chooses it.
func statusOf(op *huma.Operation, out any) int {
	if v := reflect.ValueOf(out).Elem(); v.IsValid() && v.Kind() == reflect.Struct {
		if field := v.FieldByName("Status"); field.IsValid() && field.Int() != 0 {
			return int(field.Int())
		}
	}
	if op.DefaultStatus != 0 {
		return op.DefaultStatus
	}
	return http.StatusOK
}

// documentKey documents the header Idempotency-Key of an operation.
func documentKey(op *huma.Operation) {
	op.Parameters = append(op.Parameters, &huma.Param{
		Name: idempotencyHeader, In: "header", Example: "create-acme-1", Schema: &huma.Schema{Type: huma.TypeString},
		Description: "Makes the request repeatable: the same request with the same key is carried out once within 24 hours, and answered alike. " +
			"Another request with the key, or the same while it is in progress, is a conflict. Up to 128 characters, bare or a string in quotes.",
	})
	op.Errors = append(op.Errors, http.StatusConflict)
}
