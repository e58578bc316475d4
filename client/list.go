package client

import (
	"context"
	"iter"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// Page selects a part of a list. The zero value selects the first 50 items.
type Page struct {
	Limit  int    // 1 to 250; 0 means 50
	Cursor string // NextCursor of the previous page; empty for the first one
}

// List is a part of a list, newest first. A page of large events can be shorter than its limit without being the last.
type List[T any] struct {
	Data       []T    `json:"data"`
	NextCursor string `json:"next_cursor"` // empty on the last page
	// SearchedTo is how far back a list of events or deliveries was searched, of which a page can be short or empty where few match;
	// zero on the last page, and for other lists.
	SearchedTo time.Time `json:"searched_to,omitzero"`
}

// All iterates over a whole list, page by page. It stops after the first error.
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
			if list.NextCursor == "" {
				return
			}
			page.Cursor = list.NextCursor
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

// fetch makes a call that is answered with a T.
func fetch[T any](ctx context.Context, c *Client, method, path string, in any) (*T, error) {
	out := new(T)
	if err := c.call(ctx, method, path, in, out); err != nil {
		return nil, err
	}
	return out, nil
}
