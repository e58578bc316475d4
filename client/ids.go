package client

import (
	"context"
	"net/http"
)

// Found is a thing that has an id.
type Found struct {
	Kind    string  `json:"kind"`    // event, delivery, endpoint, job, bulk_job, key or tenant
	Tenant  *string `json:"tenant"`  // that it belongs to, or that it is; nil for a key of operators and a bulk job
	ID      string  `json:"id"`      // in the form of this API
	Path    string  `json:"path"`    // in this API
	Deleted bool    `json:"deleted"` // an endpoint that was deleted
}

// FindID returns what has an id, whatever it is and whichever tenant's. Keys of a tenant find only what is theirs. It fails with
// CodeNotFound if nothing has the id.
func (c *Client) FindID(ctx context.Context, id string) ([]Found, error) {
	list, err := fetch[List[Found]](ctx, c, http.MethodGet, path("ids", id), nil)
	if err != nil {
		return nil, err
	}
	return list.Data, nil
}
