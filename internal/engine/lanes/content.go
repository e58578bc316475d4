package lanes

import (
	"context"
	"math"
	"slices"
	"sync"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// Content is an event in memory, for all of its deliveries there. Its data is charged once to the tenant, and so is each request
// body that several deliveries share.
type Content struct {
	*bellwire.Event

	// The scheduler's lock guards these.
	users   int // deliveries that wait or are in flight, and reserved places
	shared  []sharedBody
	own     int  // bodies in memory that belong to one delivery each
	charged int  // bytes charged to the tenant
	listed  bool // whether it is among the scheduler's contents

	mu     sync.Mutex
	bodies []rendered
	older  []older
}

// sharedBody names a body in memory that endpoints share.
type sharedBody struct {
	dialect string // empty: the data alone, of an older version
	at      int64  // Endpoint.At, of an older version; asPublished: it is none
}

// asPublished is greater than the revision of any version.
const asPublished = math.MaxInt64

// rendered is a request body for all endpoints of a dialect that get the same version.
type rendered struct {
	dialect string
	event   *bellwire.Event // as published, or one of older
	body    []byte
}

// older is the event in an older version, or why there is none.
type older struct {
	version  int
	revision int64 // of the conversion
	event    *bellwire.Event
	err      error
}

// NewContent returns the content of an event that is not in memory yet.
func NewContent(e *bellwire.Event) *Content { return &Content{Event: e} }

// cost returns the bytes of the event in memory: its data and its request bodies. Room for one body is charged from the start,
// so that whatever is in memory can be sent.
func (c *Content) cost() int {
	if c.users == 0 {
		return 0
	}
	bodies := len(c.shared) + c.own
	for i := range c.shared {
		if c.shared[i].at != asPublished && c.shared[i].dialect != "" {
			bodies++ // its data
		}
	}
	return len(c.Data) * (1 + max(bodies, 1))
}

// envelopeRoom is how many bytes most dialects put around the data.
const envelopeRoom = 256

// Body returns the request body for a target. The transport may read it even after the attempt, so its memory is not reused.
func (c *Content) Body(ctx context.Context, t *bellwire.Target, m *bellwire.Message) ([]byte, error) {
	event, err := c.as(ctx, t)
	if err != nil {
		return nil, err
	}
	m.Event = event
	if !t.Renderer.SameBody() {
		return c.render(t, m)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	dialect := t.Endpoint.Dialect
	if i := slices.IndexFunc(c.bodies, func(r rendered) bool { return r.dialect == dialect && r.event == event }); i >= 0 {
		return c.bodies[i].body, nil
	}
	body, err := c.render(t, m)
	if err == nil && c.keeps(event) {
		c.bodies = append(c.bodies, rendered{dialect, event, body})
	}
	return body, err
}

// as returns the event in the version that a target gets.
func (c *Content) as(ctx context.Context, t *bellwire.Target) (*bellwire.Event, error) {
	if t.Versions == nil || !t.Endpoint.GetsOlder(c.Event) {
		return c.Event, nil
	}
	conversion, err := t.Versions.Conversion(ctx, t.Endpoint, c.Event)
	if err != nil || conversion == nil {
		return c.Event, err
	}
	return c.convert(conversion)
}

// convert returns the event in an older version, which is made once for all of its deliveries, and again if the converters have
// changed since.
func (c *Content) convert(conversion bellwire.Conversion) (*bellwire.Event, error) {
	if c.Deliveries <= 1 {
		event, _, err := conversion.Convert(c.Event)
		return event, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	number, revision := conversion.Number(), conversion.Revision()
	i := slices.IndexFunc(c.older, func(o older) bool { return o.version == number })
	if i >= 0 && c.older[i].revision >= revision {
		return c.older[i].event, c.older[i].err
	}
	event, _, err := conversion.Convert(c.Event)
	made := older{number, revision, event, err}
	if i < 0 {
		c.older = append(c.older, made)
		return event, err
	}
	replaced := c.older[i].event
	c.older[i] = made
	c.bodies = slices.DeleteFunc(c.bodies, func(r rendered) bool { return r.event == replaced })
	return event, err
}

// keeps reports whether bodies of the event in this form stay in memory for other deliveries. Those of a form that was replaced do not,
// because only one for each version is charged. c.mu is held.
func (c *Content) keeps(event *bellwire.Event) bool {
	return c.Deliveries > 1 && (event == c.Event || slices.ContainsFunc(c.older, func(o older) bool { return o.event == event }))
}

func (c *Content) render(t *bellwire.Target, m *bellwire.Message) ([]byte, error) {
	return t.Renderer.AppendBody(make([]byte, 0, len(m.Event.Data)+envelopeRoom), m)
}

// charge updates the tenant's account to what an event costs.
func (s *Scheduler) charge(a *account, c *Content) {
	change := c.cost() - c.charged
	c.charged += change
	switch {
	case change > 0:
		s.take(a, memory, change)
	case change < 0:
		s.give(a, memory, -change)
	}
}

// retainContent counts a delivery of an event in memory.
func (s *Scheduler) retainContent(a *account, c *Content) {
	s.take(a, places, 1)
	c.users++
	s.charge(a, c)
}

// releaseContent removes one of an event's users.
func (s *Scheduler) releaseContent(a *account, c *Content) {
	c.users--
	s.charge(a, c)
	if c.users == 0 && c.listed {
		c.listed = false
		delete(s.contents, c.ID)
	}
}

// dismiss frees what a waiting delivery has in memory.
func (s *Scheduler) dismiss(task *Task) {
	a := task.lane.account
	s.give(a, places, 1)
	s.releaseContent(a, task.Content)
	if task.Manual() {
		s.give(a, manualDeliveries, 1)
	}
	task.Content = nil
}

// listContent lets deliveries that are claimed later share the event.
func (s *Scheduler) listContent(c *Content) {
	if c.Deliveries > 1 && !c.listed && s.contents[c.ID] == nil {
		c.listed = true
		s.contents[c.ID] = c
	}
}

// contentOf returns the content of an event that was claimed: the one that is in memory already, or a new one.
func (s *Scheduler) contentOf(e *bellwire.Event) *Content {
	if c := s.contents[e.ID]; c != nil {
		return c
	}
	c := NewContent(e)
	s.listContent(c)
	return c
}

// needsBody reports whether an attempt would add a body to those of its event that are in memory.
func (c *Content) needsBody(t *bellwire.Target) bool {
	if len(c.shared)+c.own == 0 {
		return false
	}
	if !sameBody(t) {
		return true
	}
	_, listed := c.sharedBy(t, t.Endpoint.Dialect)
	return !listed
}

// sharedBy names what a target shares with others, and reports whether that is in memory. Endpoints of the same version can have
// different revisions, but there are not more bodies than older versions.
func (c *Content) sharedBy(t *bellwire.Target, dialect string) (b sharedBody, listed bool) {
	b = sharedBody{dialect, asPublished}
	if t.Endpoint != nil && t.Endpoint.GetsOlder(c.Event) {
		b.at = t.Endpoint.At(c.Type)
	}
	of := 0
	for _, s := range c.shared {
		if s == b {
			return b, true
		}
		if s.dialect == dialect && s.at != asPublished {
			of++
		}
	}
	return b, b.at != asPublished && of >= c.Version.Number-1
}

// listShared adds what a target shares with others to what is in memory.
func (c *Content) listShared(t *bellwire.Target, dialect string) {
	if b, listed := c.sharedBy(t, dialect); !listed {
		c.shared = append(c.shared, b)
	}
}

// countBody charges the body of an attempt that starts.
func (s *Scheduler) countBody(task *Task) {
	c, t := task.Content, task.lane.target
	switch {
	case c.Deliveries <= 1: // room for its body is charged already
	case !sameBody(t):
		task.ownBody = true
		c.own++
		if t.Endpoint.GetsOlder(c.Event) {
			c.listShared(t, "")
		}
	default:
		c.listShared(t, t.Endpoint.Dialect)
	}
	s.charge(task.lane.account, c)
}

// sameBody reports whether all endpoints of a target's dialect get the same request body.
func sameBody(t *bellwire.Target) bool { return t.Renderer == nil || t.Renderer.SameBody() }
