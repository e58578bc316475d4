package api

import (
	"context"
	"strings"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/service"
)

// Conditional has the parameter of changes that can be conditional.
type Conditional struct {
	IfMatch string `header:"If-Match" example:"\"1f4k\"" doc:"The ETag of the answer in which it was read: the change is refused with 412 if it was changed since. * for any version. Without it, the change is made whatever the version."`
}

// when returns the context for a change with its condition.
func (in *Conditional) when(ctx context.Context) (context.Context, error) {
	if in.IfMatch == "" {
		return ctx, nil
	}
	var m service.Match
	for tag := range strings.SplitSeq(in.IfMatch, ",") {
		tag = strings.TrimSpace(tag)
		version, quoted := strings.CutPrefix(tag, `"`)
		version, ended := strings.CutSuffix(version, `"`)
		switch {
		case tag == service.AnyVersion:
			m = append(m, service.AnyVersion)
		case strings.HasPrefix(tag, "W/"): // it never matches (RFC 9110, 13.1.1)
			m = append(m, "")
		case quoted && ended && version != "" && version != service.AnyVersion && !strings.Contains(version, `"`):
			m = append(m, version)
		default:
			return nil, bellwire.Invalid("If-Match", `must be the value of ETag in an answer, such as "1f4k", or *`)
		}
	}
	return service.WithMatch(ctx, m), nil
}

// tagged is a response with a body that has a version.
type tagged[T any] struct {
	ETag string `header:"ETag" doc:"The version, for If-Match."`
	Body T
}

func (o *tagged[T]) take() any {
	body := o.Body
	var none T
	o.Body = none
	return body
}

// answerTagged is answer for something that has a version.
func answerTagged[S, T any](from S, err error, version func(S) string, wire func(S) T) (*tagged[T], error) {
	if err != nil {
		return nil, err
	}
	return &tagged[T]{ETag: etag(version(from)), Body: wire(from)}, nil
}

func etag(version string) string { return `"` + version + `"` }

func endpointVersion(ep *service.Endpoint) string { return service.EndpointVersion(&ep.Endpoint) }
