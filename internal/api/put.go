package api

import (
	"net/http"
)

// putOutput is the response to a PUT: 201 if something was created, and 200 if it was replaced.
type putOutput[T any] struct {
	Status int
	ETag   string `header:"ETag" doc:"The version, for If-Match."`
	Body   T
}

func (o *putOutput[T]) take() any {
	body := o.Body
	var none T
	o.Body = none
	return body
}

// replaced returns the output for what a PUT has created or replaced, unless there is an error.
func replaced[S, T any](from S, created bool, err error, version func(S) string, wire func(S) T) (*putOutput[T], error) {
	if err != nil {
		return nil, err
	}
	out := &putOutput[T]{Status: http.StatusOK, ETag: etag(version(from)), Body: wire(from)}
	if created {
		out.Status = http.StatusCreated
	}
	return out, nil
}
