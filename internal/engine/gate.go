package engine

import (
	"sync"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// gate lets publishers in while the engine runs. It is closed at first.
type gate struct {
	publishers sync.WaitGroup

	mu   sync.Mutex
	open bool
}

// enter lets a publisher in, unless the gate is closed. A successful enter must be followed by leave.
func (g *gate) enter() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.open {
		return shuttingDown()
	}
	g.publishers.Add(1)
	return nil
}

func (g *gate) leave() { g.publishers.Done() }

// set opens or closes the gate, and reports whether it was open.
func (g *gate) set(open bool) (wasOpen bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	wasOpen, g.open = g.open, open
	return wasOpen
}

func (g *gate) isOpen() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.open
}

func shuttingDown() error {
	return &bellwire.Error{
		Code:       bellwire.CodeUnavailable,
		Message:    "this node is shutting down; nothing was stored",
		Hint:       "Try again, on another node or shortly.",
		RetryAfter: overloadRetryAfter,
	}
}
