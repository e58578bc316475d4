package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/service"
)

// urlToCheck is a URL that an endpoint may get.
type urlToCheck struct {
	URL value[string] `json:"url,omitzero" format:"uri" example:"https://example.com/webhooks" doc:"http or https."`
}

// TransformSchema marks the required field.
func (urlToCheck) TransformSchema(_ huma.Registry, s *huma.Schema) *huma.Schema {
	s.Required = []string{"url"}
	return s
}

type checkedURL struct {
	URL     string           `json:"url" example:"https://example.com/webhooks" doc:"As an endpoint would have it."`
	Outcome bellwire.Outcome `json:"outcome" enum:"ok,blocked,dns,connect,tls,timeout,reset,protocol" doc:"ok if a connection was made, with TLS if the URL has it; otherwise as of an attempt."`
	Error   string           `json:"error" example:"the host name \"exampel.com\" could not be resolved: no such host" doc:"Why no connection was made; empty if one was."`
	Timings timings          `json:"timings" doc:"In milliseconds. There is no first byte, because no request is sent."`
}

func wireCheckedURL(c *service.CheckedURL) checkedURL {
	return checkedURL{URL: c.URL, Outcome: c.Outcome, Error: c.Error, Timings: wireTimings(c.Timings)}
}

func (a *api) urls() {
	type checked struct {
		InTenant
		Input body[urlToCheck]
	}
	single(a, service.Change, huma.Operation{
		OperationID: "check-url", Method: http.MethodPost, Path: "/tenants/{tenant}/urls/check", Tags: []string{tagEndpoints},
		Summary: "Check a URL before an endpoint gets it",
		Description: "Responds with 422 if no endpoint may have the URL. Otherwise it connects to the host as deliveries would, sends no request, " +
			"and says what came of it. It counts as a test. An endpoint can have a URL that is not reached yet.",
	}, func(ctx context.Context, c service.Caller, in *checked) (*output[checkedURL], error) {
		if in.Input.value.URL.given == nil {
			return nil, bellwire.Invalid("url", "is required")
		}
		found, err := a.svc.CheckURL(ctx, c, in.Tenant, *in.Input.value.URL.given)
		return answer(found, err, wireCheckedURL)
	})
}
