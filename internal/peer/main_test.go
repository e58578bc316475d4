package peer

import (
	"testing"

	"go.uber.org/goleak"
)

// TestMain sees to it that no test leaves a goroutine behind: each has an owner and an end.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }
