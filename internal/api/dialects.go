package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/bellwire/bellwire/internal/service"
)

// dialectList has the dialects on the wire.
type dialectList struct {
	Data []namedDialect `json:"data" doc:"By name."`
}

type namedDialect struct {
	Name string `json:"name" example:"standard"`
}

func (a *api) dialects() {
	route(a, service.Read, huma.Operation{
		OperationID: "list-dialects", Method: http.MethodGet, Path: "/dialects", Tags: []string{tagEndpoints},
		Summary: "List dialects", Description: "The dialects that an endpoint can have: those of Bellwire, and those that files declare.",
	}, func(_ context.Context, c service.Caller, _ *struct{}) (*output[dialectList], error) {
		names, err := a.svc.Dialects(c)
		return answer(names, err, func(names []string) dialectList {
			wire := dialectList{Data: make([]namedDialect, len(names))}
			for i, name := range names {
				wire.Data[i].Name = name
			}
			return wire
		})
	})
}
