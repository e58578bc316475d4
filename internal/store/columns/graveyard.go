package columns

import (
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// MaxTombstones is how many deleted endpoints are looked at in one read.
const MaxTombstones = 1000

// Graveyard is how far a store has looked for deleted endpoints that no delivery names, in the order of their tenants. Those
// that some delivery names are passed over until the next round: there may be any number of them. The zero value is ready.
type Graveyard struct {
	Tenant, N int64     // the last one
	Ended     bool      // there are no more in this round
	begun     time.Time // this round
	again     bool      // something was deleted since this round began, so that others may be named no more
}

// Begin begins another round if there may be something to be found.
func (g *Graveyard) Begin(now time.Time) {
	age := now.Sub(g.begun)
	if g.Ended && g.again || age >= bellwire.RetentionReview || age < 0 {
		*g = Graveyard{begun: now}
	}
}

// Deleted notes that rows were deleted.
func (g *Graveyard) Deleted(rows int) { g.again = g.again || rows > 0 }
