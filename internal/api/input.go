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

// maxOpenBody bounds the bodies of callers without credentials.
const maxOpenBody = 4 << 10

// body is a request body of type T. It is parsed like the bodies of all other front ends, because Huma would parse it twice, lose
// numbers such as 1E400, and repeat invalid values, which may be secrets, in its errors.
type body[T any] struct{ value T }

// Resolve reads the body after Huma has read the parameters. Fields that do not fit are left out, and refused together with what
// the operation finds wrong with the others.
func (b *body[T]) Resolve(ctx huma.Context) []error {
	data, err := readConfiguration(ctx)
	if err != nil {
		return []error{err}
	}
	parsed, err := parseInTurn(ctx, data, &b.value)
	if err != nil && !parsed {
		return []error{err}
	}
	*callOf(ctx.Context()).misfits = err
	return nil
}

func (b *body[T]) document(r huma.Registry) *huma.RequestBody { return requestBody[T](r, true) }

// optionalBody is a request body of type T that may be omitted.
type optionalBody[T any] struct{ value T }

// Resolve reads the body, if there is one.
func (b *optionalBody[T]) Resolve(ctx huma.Context) []error {
	data, err := readConfiguration(ctx)
	if err == nil && len(bytes.TrimSpace(data)) > 0 {
		_, err = parseInTurn(ctx, data, &b.value)
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
	if c := callOf(ctx.Context()); c.body != nil {
		return *c.body, nil
	}
	r, _ := humago.Unwrap(ctx)
	if len(ctx.Operation().Security) == 0 {
		return httpx.ReadBody(r, maxOpenBody)
	}
	return httpx.ReadBody(r, maxConfigurationBody)
}

// parseInTurn parses a body as httpx.ParseFitting does. Large bodies wait for their turn like large publications, because parsing
// them takes as long.
func parseInTurn(ctx huma.Context, data []byte, v any) (parsed bool, err error) {
	c := callOf(ctx.Context())
	end, err := c.beginReading(ctx.Context(), c.caller.Owner(), len(data))
	if err != nil {
		return false, err
	}
	defer end()
	return httpx.ParseFitting(data, v)
}

// documented is a part of an operation's input that describes itself as the request body.
type documented interface {
	document(huma.Registry) *huma.RequestBody
}

func requestBody[T any](r huma.Registry, required bool) *huma.RequestBody {
	schema := r.Schema(reflect.TypeFor[T](), true, "")
	return &huma.RequestBody{Required: required, Content: map[string]*huma.MediaType{"application/json": {Schema: schema}}}
}

// value is a field that may be omitted and must not be null.
type value[T any] struct{ given *T }

// UnmarshalJSONFrom parses the field.
func (v *value[T]) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	if dec.PeekKind() == 'n' {
		return bellwire.Invalid("", "must not be null; leave it out, or give a value")
	}
	v.given = new(T)
	return json.UnmarshalDecode(dec, v.given)
}

// Schema returns the schema of T.
func (v value[T]) Schema(r huma.Registry) *huma.Schema {
	return r.Schema(reflect.TypeFor[T](), true, "")
}

// clearable is a field that may be omitted, and that null sets to the zero value of T.
type clearable[T any] struct {
	given *T
	null  bool
}

// UnmarshalJSONFrom parses the field.
func (c *clearable[T]) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	c.given = new(T)
	if dec.PeekKind() == 'n' {
		c.null = true
		return dec.SkipValue()
	}
	return json.UnmarshalDecode(dec, c.given)
}

// Schema returns the schema of T or null.
func (c clearable[T]) Schema(r huma.Registry) *huma.Schema {
	schema := r.Schema(reflect.TypeFor[T](), true, "")
	if schema.Ref == "" && (schema.Type == huma.TypeString || schema.Type == huma.TypeNumber) {
		schema.Nullable = true
		return schema
	}
	return &huma.Schema{AnyOf: []*huma.Schema{schema, {Type: "null"}}}
}

// InTenant has the parameters of operations in a tenant.
type InTenant struct {
	Tenant string `path:"tenant" example:"acme" doc:"The tenant's id."`
}

// Paging has the parameters of lists.
type Paging struct {
	Limit  int    `query:"limit" minimum:"1" maximum:"250" default:"50" doc:"Maximum number of items: 1 to 250, default 50. A page ends earlier when it has 4 MiB; next_cursor continues it."`
	Cursor string `query:"cursor" maxLength:"512" doc:"The next_cursor of the previous page, with the same other parameters; omitted for the first page."`
}

// list is a page of a list, newest first.
type list[T any] struct {
	Data       []T     `json:"data" doc:"Newest first."`
	NextCursor *string `json:"next_cursor" doc:"Value of cursor for the next page; null on the last page."`
}

// searchedList is a page of a list that is read until enough match, or until much was read.
type searchedList[T any] struct {
	Data       []T       `json:"data" doc:"Newest first."`
	NextCursor *string   `json:"next_cursor" doc:"Value of cursor for the next page; null on the last page."`
	SearchedTo time.Time `json:"searched_to,omitzero" doc:"How far back this page and those before it have searched: what next_cursor continues with is older. Absent on the last page."`
}

// output is a response with a body.
type output[T any] struct{ Body T }

func (o *output[T]) take() any {
	body := o.Body
	*o = output[T]{}
	return body
}

// paged returns a page of a list. Its cursor is valid only for the same list: the same path, which names the tenant, and the same
// filters.
func paged[S, T any](ctx context.Context, a *api, p Paging, read func(bellwire.Page) (*bellwire.List[S], error), wire func(S) T) (*output[list[T]], error) {
	page := bellwire.Page{Limit: p.Limit}
	of := listOf(callOf(ctx).url)
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
	out, err := wireList(a, of, from, wire)
	if err != nil {
		return nil, err
	}
	return &output[list[T]]{Body: out}, nil
}

// searched is paged for a list that is searched.
func searched[S, T any](ctx context.Context, a *api, p Paging, read func(bellwire.Page) (*bellwire.List[S], error), wire func(S) T) (*output[searchedList[T]], error) {
	var to time.Time
	page, err := paged(ctx, a, p, func(page bellwire.Page) (*bellwire.List[S], error) {
		found, err := read(page)
		if err == nil && found.Next != "" {
			to = found.Next.Time()
		}
		return found, err
	}, wire)
	if err != nil {
		return nil, err
	}
	return &output[searchedList[T]]{Body: searchedList[T]{page.Body.Data, page.Body.NextCursor, to}}, nil
}

// wireList returns a page of the list with the given name, which listOf returns.
func wireList[S, T any](a *api, of string, from *bellwire.List[S], wire func(S) T) (list[T], error) {
	out := list[T]{Data: make([]T, len(from.Items))}
	for i, item := range from.Items {
		out.Data[i] = wire(item)
	}
	if from.Next == "" {
		return out, nil
	}
	next, err := a.svc.SealCursor(of, from.Next)
	out.NextCursor = &next
	return out, err
}

// listOf returns what identifies a list: its URL without the parameters that select a page.
func listOf(u *url.URL) string {
	query := u.Query()
	query.Del("limit")
	query.Del("cursor")
	return u.Path + "?" + query.Encode()
}

// parsePeriod parses the parameters since and until of a list.
func parsePeriod(since, until string) (from, to time.Time, err error) {
	if from, err = parseTime("since", withPlus(since)); err != nil {
		return from, to, err
	}
	to, err = parseTime("until", withPlus(until))
	return from, to, err
}

// parseTime parses the time of a filter or an event. An empty text is the zero time.
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
