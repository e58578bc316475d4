package httpx_test

import (
	"testing"

	"go.uber.org/goleak"

	"github.com/bellwire/bellwire/internal/testenv"
)

// TestMain checks that no test leaves a goroutine behind: each has an owner and an end. Those of net/http that leave a
// client half a second to read a refusal end by themselves.
func TestMain(m *testing.M) {
	testenv.Cases(30)
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("net/http.(*conn).closeWriteAndWait"))
}
