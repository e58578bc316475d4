package engine

import (
	"slices"
	"sync"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// content is an event in memory: one for all deliveries of it that are there. Its data is charged once, and so is each
// request body that several of them share.
type content struct {
	*bellwire.Event

	// The scheduler's lock guards these.
	users   int      // deliveries that wait or are under way, reserved places included
	shared  []string // dialects whose body is in memory
	own     int      // bodies in memory that are of one delivery alone
	charged int      // to the tenant's memory
	listed  bool     // it is among the scheduler's contents

	mu     sync.Mutex
	bodies []rendered
}

// rendered is a request body for all endpoints of a dialect.
type rendered struct {
	dialect string
	body    []byte
}

func newContent(e *bellwire.Event) *content { return &content{Event: e} }

// cost is what the event costs in memory: its data and its request bodies. Room for one of them is kept from the start,
// so that what has come into memory can be sent.
func (c *content) cost() int {
	if c.users == 0 {
		return 0
	}
	return len(c.Data) * (1 + max(len(c.shared)+c.own, 1))
}

// envelopeRoom is how many bytes most dialects put around the data.
const envelopeRoom = 256

// Body returns the request body for a target. The transport may go on reading it after the attempt, so its memory is not
// used again.
func (c *content) Body(t *bellwire.Target, m *bellwire.Message) ([]byte, error) {
	if !t.Renderer.SameBody() {
		return c.render(t, m)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	dialect := t.Endpoint.Dialect
	if i := slices.IndexFunc(c.bodies, func(r rendered) bool { return r.dialect == dialect }); i >= 0 {
		return c.bodies[i].body, nil
	}
	body, err := c.render(t, m)
	if err == nil && c.Deliveries > 1 {
		c.bodies = append(c.bodies, rendered{dialect, body})
	}
	return body, err
}

func (c *content) render(t *bellwire.Target, m *bellwire.Message) ([]byte, error) {
	return t.Renderer.AppendBody(make([]byte, 0, len(c.Data)+envelopeRoom), m)
}

// charge brings the tenant's account up to date with what an event costs.
func (s *scheduler) charge(a *account, c *content) {
	change := c.cost() - c.charged
	c.charged += change
	switch {
	case change > 0:
		s.take(a, memory, change)
	case change < 0:
		s.give(a, memory, -change)
	}
}

// hold gives a delivery of an event a place in memory.
func (s *scheduler) hold(a *account, c *content) {
	s.take(a, places, 1)
	c.users++
	s.charge(a, c)
}

// unplace frees the place of a delivery that waits no more. What it needs of its event stays.
func (s *scheduler) unplace(a *account) { s.give(a, places, 1) }

// releaseContent frees an event from one of its users.
func (s *scheduler) releaseContent(a *account, c *content) {
	c.users--
	s.charge(a, c)
	if c.users == 0 && c.listed {
		c.listed = false
		delete(s.contents, c.ID)
	}
}

// dismiss frees all that a waiting delivery has in memory.
func (s *scheduler) dismiss(j *job) {
	a := j.lane.account
	s.unplace(a)
	s.releaseContent(a, j.event)
	if j.express() {
		s.give(a, byHand, 1)
	}
	j.event = nil
}

// list lets deliveries that are claimed later share the event.
func (s *scheduler) list(c *content) {
	if c.Deliveries > 1 && !c.listed && s.contents[c.ID] == nil {
		c.listed = true
		s.contents[c.ID] = c
	}
}

// contentOf returns what is in memory of an event that was claimed, which is the event itself if nothing was.
func (s *scheduler) contentOf(e *bellwire.Event) *content {
	if c := s.contents[e.ID]; c != nil {
		return c
	}
	c := newContent(e)
	s.list(c)
	return c
}

// needsBody reports whether an attempt would add a body to those of its event that are in memory already.
func (c *content) needsBody(t *bellwire.Target) bool {
	if len(c.shared)+c.own == 0 {
		return false
	}
	return !shares(t) || !slices.Contains(c.shared, t.Endpoint.Dialect)
}

// countBody notes the body of an attempt that begins.
func (s *scheduler) countBody(j *job) {
	c, t := j.event, j.lane.target
	switch {
	case c.Deliveries <= 1: // room for its body is kept
	case !shares(t):
		j.ownBody = true
		c.own++
	case !slices.Contains(c.shared, t.Endpoint.Dialect):
		c.shared = append(c.shared, t.Endpoint.Dialect)
	}
	s.charge(j.lane.account, c)
}

// shares reports whether an endpoint's request bodies are those of its dialect.
func shares(t *bellwire.Target) bool { return t.Renderer == nil || t.Renderer.SameBody() }
