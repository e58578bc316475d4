package rules

import (
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// MaxTombstones is how many deleted endpoints one read examines.
const MaxTombstones = 1000

// TombstoneScan is the position of a store's scan for deleted endpoints that no delivery refers to, in the order of their
// tenants. Endpoints that a delivery refers to are passed over until the next round, because there may be any number of them.
// The zero value is ready for use.
type TombstoneScan struct {
	Tenant, N int64     // the last endpoint examined
	Ended     bool      // the round is complete
	begun     time.Time // when the round began
	again     bool      // rows were deleted since then, so that other endpoints may have become free
}

// Begin begins another round if one could find something.
func (s *TombstoneScan) Begin(now time.Time) {
	age := now.Sub(s.begun)
	if s.Ended && s.again || age >= bellwire.RetentionReview || age < 0 {
		*s = TombstoneScan{begun: now}
	}
}

// Deleted records that rows were deleted.
func (s *TombstoneScan) Deleted(rows int) { s.again = s.again || rows > 0 }
