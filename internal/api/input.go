package api

import (
	"bytes"
	"context"
	"net/url"
	"reflect"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/httpx"
)

// maxConfigurationBody bounds the bodies of everything but publishing. A large JSON Schema fits.
const maxConfigurationBody = 1 << 20

// body is a request body of T. Huma would read it twice, once without and once with its type, lose
// numbers such as 1E400 on the way and put the values at fault, which may be secrets, into its answer;
// so it is read like the bodies of every other front end.
type body[T any] struct{ value T }

// Resolve reads the body when Huma has read the parameters.
func (b *body[T]) Resolve(ctx huma.Context) []error {
	data, err := readConfiguration(ctx)
	if err == nil {
		err = parseInTurn(ctx, data, &b.value)
	}
	if err != nil {
		return []error{err}
	}
	return nil
}

func (b *body[T]) document(r huma.Registry) *huma.RequestBody { return requestBody[T](r, true) }

// optionalBody is a request body of T that may be left out.
type optionalBody[T any] struct{ value T }

// Resolve reads the body, if there is one.
func (b *optionalBody[T]) Resolve(ctx huma.Context) []error {
	data, err := readConfiguration(ctx)
	if err == nil && len(bytes.TrimSpace(data)) > 0 {
		err = parseInTurn(ctx, data, &b.value)
	}
	if err != nil {
		return []error{err}
	}
	return nil
}

func (b *optionalBody[T]) document(r huma.Registry) *huma.RequestBody {
	return requestBody[T](r, false)
}

func readConfiguration(ctx huma.Context) ([]byte, error) {
	r, _ := humago.Unwrap(ctx)
	return httpx.ReadBody(r, maxConfigurationBody)
}

// parseInTurn reads a body as JSON. Large ones take turns with large publications: reading one takes as long.
func parseInTurn(ctx huma.Context, data []byte, v any) error {
	c := ctx.Context().Value(callKey{}).(call)
	end, err := c.beginReading(ctx.Context(), c.caller.Owner(), len(data))
	if err != nil {
		return err
	}
	defer end()
	return httpx.ParseJSON(data, v)
}

// documented is a part of an operation's input that documents itself as the request body.
type documented interface {
	document(huma.Registry) *huma.RequestBody
}

func requestBody[T any](r huma.Registry, required bool) *huma.RequestBody {
	schema := r.Schema(reflect.TypeFor[T](), true, "")
	return &huma.RequestBody{Required: required, Content: map[string]*huma.MediaType{"application/json": {Schema: schema}}}
}

// value is a member that can be left out and cannot be null.
type value[T any] struct{ given *T }

// UnmarshalJSONFrom reads the member.
func (v *value[T]) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	if dec.PeekKind() == 'n' {
		return bellwire.Invalid("", "must not be null; leave it out, or give a value")
	}
	v.given = new(T)
	return json.UnmarshalDecode(dec, v.given)
}

// Schema is that of the member's type.
func (v value[T]) Schema(r huma.Registry) *huma.Schema {
	return r.Schema(reflect.TypeFor[T](), true, "")
}

// clearable is a member that can be left out, and that null sets to T's zero value.
type clearable[T any] struct {
	given *T
	null  bool
}

// UnmarshalJSONFrom reads the member.
func (c *clearable[T]) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	c.given = new(T)
	if dec.PeekKind() == 'n' {
		c.null = true
		return dec.SkipValue()
	}
	return json.UnmarshalDecode(dec, c.given)
}

// Schema is that of the member's type, or null.
func (c clearable[T]) Schema(r huma.Registry) *huma.Schema {
	schema := r.Schema(reflect.TypeFor[T](), true, "")
	if schema.Ref == "" && (schema.Type == huma.TypeString || schema.Type == huma.TypeNumber) {
		schema.Nullable = true
		return schema
	}
	return &huma.Schema{AnyOf: []*huma.Schema{schema, {Type: "null"}}}
}

// InTenant are the parameters of what belongs to a tenant.
type InTenant struct {
	Tenant string `path:"tenant" example:"acme" doc:"The tenant's id."`
}

// Paging are the parameters of lists.
type Paging struct {
	Limit  int    `query:"limit" minimum:"1" maximum:"250" default:"50" doc:"How many to return at most: 1 to 250, 50 unless given. A page ends before once it has 4 MiB, and next_cursor goes on."`
	Cursor string `query:"cursor" maxLength:"512" doc:"The next_cursor of the page before, with the same other parameters; left out for the first page."`
}

// list is a page of a list, newest first.
type list[T any] struct {
	Data       []T     `json:"data" doc:"Newest first."`
	NextCursor *string `json:"next_cursor" doc:"For the parameter cursor, to get the next page; null: there is no more."`
}

// output is an answer with a body.
type output[T any] struct{ Body T }

func (o *output[T]) take() any {
	body := o.Body
	*o = output[T]{}
	return body
}

// paged answers with a page of a list. Its cursors are good for the same list alone: the same path, which names the tenant,
// and the same filters.
func paged[S, T any](ctx context.Context, a *api, p Paging, read func(bellwire.Page) (*bellwire.List[S], error), wire func(S) T) (*output[list[T]], error) {
	page := bellwire.Page{Limit: p.Limit}
	of := listOf(ctx.Value(callKey{}).(call).url)
	var err error
	if p.Cursor != "" {
		if page.After, err = a.svc.OpenCursor(of, p.Cursor); err != nil {
			return nil, err
		}
	}
	from, err := read(page)
	if err != nil {
		return nil, err
	}
	out := list[T]{Data: make([]T, len(from.Items))}
	for i, item := range from.Items {
		out.Data[i] = wire(item)
	}
	if from.Next != "" {
		next, err := a.svc.SealCursor(of, from.Next)
		if err != nil {
			return nil, err
		}
		out.NextCursor = &next
	}
	return &output[list[T]]{Body: out}, nil
}

// listOf returns what tells a list from others: all of the URL but what says which page of it is wanted.
func listOf(u *url.URL) string {
	query := u.Query()
	query.Del("limit")
	query.Del("cursor")
	return u.Path + "?" + query.Encode()
}

// parseTime reads a time of a filter or event.
func parseTime(field, text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	t, err := httpx.ParseTime(text)
	if err != nil {
		return time.Time{}, bellwire.Invalid(field, "must be an RFC 3339 time, such as 2026-01-31T12:30:00Z")
	}
	return t, nil
}
