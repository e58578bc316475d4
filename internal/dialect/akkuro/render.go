package akkuro

import (
	"net/http"
	"net/url"
	"time"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/uuid"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// contentType is shared by all requests: nothing changes a header value in place.
var contentType = []string{"application/json"}

// occurredOn is the form of times that Akkuro documents for its platform: UTC, three digits.
const occurredOn = "2006-01-02T15:04:05.000Z"

// lastYear is the last year with four digits.
const lastYear = 9999

// renderer renders deliveries to one endpoint.
type renderer struct {
	endpointURI []byte // in quotes
}

func (d Dialect) renderer(path, id string) (*renderer, error) {
	uri, err := jsontext.AppendQuote(nil, d.PublicURL+"/"+path+"/endpoints/"+url.PathEscape(id))
	if err != nil {
		return nil, bellwire.Wrap(bellwire.CodeInvalid, err, "--public-url is not UTF-8 text")
	}
	return &renderer{endpointURI: uri}, nil
}

// AppendBody appends {"meta", "data"}. The data is the published one, byte for byte.
func (r *renderer) AppendBody(dst []byte, m *bellwire.Message) ([]byte, error) {
	at := m.Event.Time().UTC()
	if year := at.Year(); year < 0 || year > lastYear {
		return nil, bellwire.Errorf(bellwire.CodeInvalid, "the time of the event is outside the years 0 to 9999")
	}
	dst = append(dst, `{"meta":{"id":"`...)
	dst = append(dst, uuid.UUID(m.Event.ID).String()...)
	dst = append(dst, `","eventName":"`...)
	dst = append(dst, m.Event.Type...) // its characters need no escapes
	dst = append(dst, `","eventEndpointUri":`...)
	dst = append(dst, r.endpointURI...)
	dst = append(dst, `,"occurredOn":"`...)
	dst = at.Truncate(time.Millisecond).AppendFormat(dst, occurredOn)
	dst = append(dst, `"},"data":`...)
	dst = append(dst, m.Event.Data...)
	return append(dst, '}'), nil
}

// SameBody returns false: the body contains the endpoint's URI.
func (*renderer) SameBody() bool { return false }

// SetHeaders sets the content type. Dialect.Headers returns the token.
func (*renderer) SetHeaders(h http.Header, _ *bellwire.Message, _ []byte) {
	h["Content-Type"] = contentType
}

// Classify reports any 2xx as acknowledged.
func (*renderer) Classify(status int) bellwire.Verdict { return bellwire.Classify2xx(status) }

// HonorsRetryAfter returns true: the header is honored.
func (*renderer) HonorsRetryAfter() bool { return true }

// The placeholders in the example of a body (Akkuro guide, section "Retrieve event payload examples").
var (
	exampleEvent    = bellwire.EventID(uuid.MustParse("018cc251-f400-7000-8000-000000000001"))
	exampleEndpoint = "659200800000000000000001"
	exampleTime     = time.Date(2024, time.January, 1, 0, 0, 0, 0, time.UTC) // both ids begin with this time
)

// example returns an example of the body of a delivery.
func (d Dialect) example(group string, t *bellwire.EventType) ([]byte, error) {
	r, err := d.renderer(pathOf(group, t.Name), exampleEndpoint)
	if err != nil {
		return nil, bellwire.Wrap(bellwire.CodeInternal, err, "the example cannot be rendered")
	}
	data := []byte(t.Example)
	if len(data) == 0 {
		data = []byte("null")
	}
	return r.AppendBody(nil, &bellwire.Message{
		Event: &bellwire.Event{ID: exampleEvent, Type: t.Name, Data: data, CreatedAt: exampleTime},
	})
}
