package client

import (
	"context"
	"iter"
	"net/http"
	"net/url"
	"strconv"
)

// Page asks for a part of a list. The zero value is the first page of 50.
type Page struct {
	Limit  int    // 1 to 250; 0: 50
	Cursor string // NextCursor of the page before; empty: the first page
}

// List is a part of a list, newest first. One of large events can be shorter than asked for, and not be the last.
type List[T any] struct {
	Data       []T     `json:"data"`
	NextCursor *string `json:"next_cursor"` // nil: there is no more
}

// All goes through a whole list, page by page. It ends after the first error.
//
//	for tenant, err := range client.All(ctx, c.Tenants) { … }
func All[T any](ctx context.Context, fetch func(context.Context, Page) (*List[T], error)) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		page := Page{Limit: 250}
		for {
			list, err := fetch(ctx, page)
			if err != nil {
				var none T
				yield(none, err)
				return
			}
			for _, item := range list.Data {
				if !yield(item, nil) {
					return
				}
			}
			if list.NextCursor == nil {
				return
			}
			page.Cursor = *list.NextCursor
		}
	}
}

func fetchList[T any](ctx context.Context, c *Client, path string, page Page, filter url.Values) (*List[T], error) {
	if filter == nil {
		filter = url.Values{}
	}
	if page.Limit > 0 {
		filter.Set("limit", strconv.Itoa(page.Limit))
	}
	if page.Cursor != "" {
		filter.Set("cursor", page.Cursor)
	}
	if len(filter) > 0 {
		path += "?" + filter.Encode()
	}
	return fetch[List[T]](ctx, c, http.MethodGet, path, nil)
}

// fetch makes a call whose answer is a T.
func fetch[T any](ctx context.Context, c *Client, method, path string, in any) (*T, error) {
	out := new(T)
	if err := c.call(ctx, method, path, in, out); err != nil {
		return nil, err
	}
	return out, nil
}
