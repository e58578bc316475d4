package rules

import "github.com/bellwire/bellwire/internal/bellwire"

// Page measures a page of a list as JSON, so that it ends at its most bytes. The last item may exceed them, because each page
// has at least one.
type Page struct{ bytes, most int }

// NewPage returns a Page of at most the given bytes.
func NewPage(most int) *Page { return &Page{most: most} }

// Add adds an item of the given size, and reports whether the page is full.
func (p *Page) Add(bytes int) (full bool) {
	p.bytes += bytes
	return p.bytes >= p.most
}

// text returns the size of a string as JSON. A control character takes six bytes.
func text[T ~string | ~[]byte](s T) int {
	size := len(s) + len(`"",`)
	for i := range len(s) {
		switch c := s[i]; {
		case c < ' ':
			size += len(`\u0001`) - 1
		case c == '"', c == '\\':
			size++
		}
	}
	return size
}

// SizeOfEvent returns the size of an event's data.
func SizeOfEvent(e *bellwire.Event) int { return len(e.Data) }

// SizeOfEndpoint returns the most bytes that an endpoint takes as JSON, without its short fields.
func SizeOfEndpoint(ep *bellwire.Endpoint) int {
	size := text(ep.URL) + text(ep.Description) + text(ep.Filter) + text(ep.StatusReason) + sizeOfMap(ep.Metadata) + sizeOfMap(ep.Extra) + len(ep.Sealed)
	for _, pattern := range ep.Events {
		size += text(pattern)
	}
	for eventType := range ep.Versions {
		size += text(eventType)
	}
	return size
}

// SizeOfTenant is SizeOfEndpoint for a tenant.
func SizeOfTenant(t *bellwire.Tenant) int {
	size := text(t.Name) + sizeOfMap(t.Metadata)
	for _, s := range t.Dialects {
		size += text(s.UserAgent) + sizeOfMap(s.Headers)
	}
	return size
}

// SizeOfKey is SizeOfEndpoint for a key.
func SizeOfKey(k *bellwire.Key) int { return text(k.Name) + text(string(k.Scopes)) + len(k.Sealed) }

// SizeOfEventType is SizeOfEndpoint for an event type.
func SizeOfEventType(t *bellwire.EventType) int {
	size := len(t.Schema) + len(t.Example) + text(t.Description) + text(t.Group)
	for i := range t.Older {
		size += len(t.Older[i].Schema) + len(t.Older[i].Example) + text(t.Older[i].Converter)
	}
	return size
}

// SizeOfDelivery is SizeOfEndpoint for a delivery.
func SizeOfDelivery(d *bellwire.Delivery) int { return text(d.Reason) }

// SizeOfAttempt is SizeOfEndpoint for an attempt.
func SizeOfAttempt(a *bellwire.Attempt) int {
	size := text(a.Error) + text(a.Request.URL) + sizeOfHeaders(a.Request.Headers)
	if a.Response != nil {
		size += sizeOfHeaders(a.Response.Headers) + text(a.Response.Body) + text(a.Response.Note)
	}
	return size
}

// SizeOfAuditEntry is SizeOfEndpoint for an entry of the audit log.
func SizeOfAuditEntry(e *bellwire.AuditEntry) int {
	return text(e.Path) + text(e.Principal) + text(e.Justification) + len(e.Before) + len(e.After)
}

// SizeOfChange is SizeOfEndpoint for a change of an endpoint.
func SizeOfChange(c *bellwire.Change) int { return len(c.Before) + len(c.After) }

// SizeOfEndpointAt is SizeOfEndpoint for an endpoint at the time of an event.
func SizeOfEndpointAt(at *bellwire.EndpointAt) (size int) {
	for _, standing := range []*bellwire.Standing{at.Then, at.Now} {
		if standing == nil {
			continue
		}
		for _, pattern := range standing.Events {
			size += text(pattern)
		}
	}
	return size
}

// SizeOfJob is SizeOfEndpoint for a job.
func SizeOfJob(j *bellwire.Job) int {
	size := text(j.Waiting) + text(j.Error)
	for _, pattern := range j.Params.Types {
		size += text(pattern)
	}
	return size
}

func sizeOfMap(m map[string]string) (size int) {
	for name, value := range m {
		size += text(name) + text(value)
	}
	return size
}

func sizeOfHeaders(headers []bellwire.Header) (size int) {
	for _, h := range headers {
		size += text(h.Name) + text(h.Value)
	}
	return size
}
