package sqlite

import (
	"strconv"
	"testing"

	"github.com/bellwire/bellwire/internal/store/codec"
)

// The statements have the numbers of statuses that rows have.
func TestNumbersOfStatuses(t *testing.T) {
	t.Parallel()
	for text, number := range map[string]int{
		pendingNumber: codec.Pending, retryingNumber: codec.Retrying, succeededNumber: codec.Succeeded, exhaustedNumber: codec.Exhausted,
		canceledNumber: codec.Canceled, delayedNumber: codec.Delayed, behindNumber: codec.Behind,
	} {
		if text != strconv.Itoa(number) {
			t.Errorf("a statement has the status %s, want %d", text, number)
		}
	}
}
