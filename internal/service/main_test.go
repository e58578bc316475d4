package service_test

import (
	"testing"

	"go.uber.org/goleak"

	"github.com/bellwire/bellwire/internal/testenv"
)

// TestMain sees to it that no test leaves a goroutine behind: each has an owner and an end.
func TestMain(m *testing.M) {
	testenv.Cases(25)
	goleak.VerifyTestMain(m)
}
