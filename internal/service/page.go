package service

import (
	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/limits"
)

// Bounds on lists.
const (
	DefaultPageLimit = 50
	MaxPageLimit     = limits.MaxPageLimit
)

// checkPage sets the default page size, and refuses one that is out of bounds.
func checkPage(p *bellwire.Page) error {
	if p.Limit == 0 {
		p.Limit = DefaultPageLimit
	}
	if p.Limit < 1 || p.Limit > MaxPageLimit {
		return bellwire.Invalid("limit", "must be between 1 and %d", MaxPageLimit)
	}
	return nil
}

// mapList returns the list with show applied to each item.
func mapList[From, To any](list *bellwire.List[From], show func(From) To) *bellwire.List[To] {
	shown := &bellwire.List[To]{Items: make([]To, len(list.Items)), Next: list.Next}
	for i, item := range list.Items {
		shown.Items[i] = show(item)
	}
	return shown
}
