package client

import (
	"context"
	"net/http"
	"time"
)

// Node is a process that shares the database with others.
type Node struct {
	ID             string     `json:"id"`
	Current        bool       `json:"current"`          // it has answered
	Alive          bool       `json:"alive"`            // its leases hold
	Leaving        bool       `json:"leaving"`          // it is shutting down, and hands its shards over
	Shards         int        `json:"shards"`           // owned ones of 256
	Epoch          int64      `json:"epoch"`            // the newest of its shards; 0: it owns none
	LeaseRenewedAt *time.Time `json:"lease_renewed_at"` // as the node that answers has seen; nil: leases do not end
	LeaseExpiresAt *time.Time `json:"lease_expires_at"` // unless renewed; nil: leases do not end
	Address        string     `json:"address"`          // only of the node that answers
	Version        string     `json:"version"`          // empty: unknown
	StartedAt      *time.Time `json:"started_at"`       // when its process started; nil: unknown
}

// Setting is an option of the server with its value.
type Setting struct {
	Name      string   `json:"name"`
	Variables []string `json:"variables"` // of the environment
	Group     string   `json:"group"`
	Help      string   `json:"help"`
	Value     *string  `json:"value"` // nil: none; "set" for a secret
	Secret    bool     `json:"secret"`
	Source    string   `json:"source"` // flag, environment, file or default
}

// Finding is what an examination of the server has found.
type Finding struct {
	ID    string `json:"id"`    // what was examined
	Level string `json:"level"` // problem, warning, note or ok
	Found string `json:"found"`
	Do    string `json:"do"` // what to do about it; empty if it is nothing
}

// Examination is an examination of the node that answers.
type Examination struct {
	ExaminedAt time.Time `json:"examined_at"`
	Data       []Finding `json:"data"` // the worst first
}

// Examine has the node that answers examine its configuration, its machine, its keyset and its database. The answer can be a few seconds
// old.
func (c *Client) Examine(ctx context.Context) (*Examination, error) {
	return fetch[Examination](ctx, c, http.MethodGet, path("doctor"), nil)
}

// Nodes lists the nodes that share the database.
func (c *Client) Nodes(ctx context.Context) ([]Node, error) {
	list, err := fetch[List[Node]](ctx, c, http.MethodGet, path("nodes"), nil)
	if err != nil {
		return nil, err
	}
	return list.Data, nil
}

// Settings lists the options of the node that answers, with the values in force. Secrets are not shown.
func (c *Client) Settings(ctx context.Context) ([]Setting, error) {
	list, err := fetch[List[Setting]](ctx, c, http.MethodGet, path("settings"), nil)
	if err != nil {
		return nil, err
	}
	return list.Data, nil
}
