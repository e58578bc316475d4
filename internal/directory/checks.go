package directory

import (
	"context"
	"errors"
	"math"
	"runtime"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/limits"
	"github.com/bellwire/bellwire/internal/share"
)

// checkPlaces returns how many long checks run at the same time. They leave one processor to everything else.
func checkPlaces() int { return max(1, runtime.GOMAXPROCS(0)-1) }

// Checks checks the events of one publication against the schemas of their types. Tenants take turns at long checks; short ones
// do not wait. The caller must call End after the last event.
type Checks struct {
	directory *Directory
	tenant    string
	short     int // steps left before the check counts as a long one
	left      int // steps left in all
	turn      int // steps left of the turn
	leave     func()
}

// Checks returns the Checks of a publication of a tenant. sizes are the sizes of its events' data.
func (d *Directory) Checks(tenant string, sizes ...int) *Checks {
	bytes, largest := 0, 0
	for _, size := range sizes {
		bytes, largest = bytes+size, max(largest, size)
	}
	c := &Checks{directory: d, tenant: tenant, left: max(budgetOf(largest), limits.BatchSteps+bytes/4)}
	if len(sizes) == 1 {
		c.left = math.MaxInt // its own budget is enough
	}
	if bytes <= limits.ShortCheckBytes {
		c.short = limits.ShortCheckSteps
	}
	return c
}

// Validate refuses data that does not fit the type's schema, as CompiledType.Validate does. Its error has CodeTooLarge if the check
// takes more steps than the publication has left.
func (c *Checks) Validate(ctx context.Context, t *CompiledType, data []byte) error {
	if t.checker == nil {
		return t.Validate(data)
	}
	if c.short > 0 {
		spent, err := t.validate("data", data, min(c.short, budgetOf(len(data))))
		c.spend(spent)
		if !errors.Is(err, errOverBudget) {
			return err
		}
		c.short = 0
	}
	if err := c.await(ctx); err != nil {
		return err
	}
	own := budgetOf(len(data))
	steps := min(c.left, own)
	spent, err := t.validate("data", data, steps)
	c.spend(spent)
	switch {
	case !errors.Is(err, errOverBudget):
		return err
	case steps == own:
		return t.overBudget("data")
	}
	return &bellwire.Error{
		Code: bellwire.CodeTooLarge, Field: "data",
		Message: "takes too many steps, together with the other events of the batch, to be checked against the schemas; send smaller batches",
	}
}

func (c *Checks) spend(steps int) {
	c.short -= steps
	c.left -= steps
	c.turn -= steps
}

// await waits for a turn, unless the last one is not over.
func (c *Checks) await(ctx context.Context) error {
	if c.leave != nil && c.turn > 0 {
		return nil
	}
	c.End()
	leave, err := c.directory.enterChecks(ctx, c.tenant)
	if err != nil {
		return err
	}
	c.leave, c.turn = leave, limits.CheckTurnSteps
	return nil
}

// BeginReading waits for a turn to parse a publication of the given size, unless it is small. The caller must call end after
// parsing.
func (d *Directory) BeginReading(ctx context.Context, tenant string, bytes int) (end func(), err error) {
	if bytes <= limits.ShortCheckBytes {
		return func() {}, nil
	}
	return d.enterChecks(ctx, tenant)
}

// enterChecks waits for a tenant's turn, up to limits.CheckPatience.
func (d *Directory) enterChecks(ctx context.Context, tenant string) (leave func(), err error) {
	leave, err = d.checks.EnterWithin(ctx, tenant, limits.CheckPatience)
	if errors.Is(err, share.ErrLate) {
		return nil, &bellwire.Error{
			Code:       bellwire.CodeRateLimited,
			Message:    "too many large requests are being checked; send fewer at the same time, and try again shortly",
			RetryAfter: checkRetryAfter,
		}
	}
	return leave, err
}

// checkRetryAfter is when callers may try again whose turn did not come in time.
const checkRetryAfter = 5 * time.Second

// End ends the turn.
func (c *Checks) End() {
	if c.leave != nil {
		c.leave()
		c.leave = nil
	}
}
