package service_test

import (
	"flag"
	"fmt"
	"os"
	"testing"

	"go.uber.org/goleak"

	"github.com/bellwire/bellwire/internal/testenv"
)

// TestMain sees to it that no test leaves a goroutine behind: each has an owner and an end.
func TestMain(m *testing.M) {
	flag.Parse()
	if err := testenv.Cases(25); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	goleak.VerifyTestMain(m)
}
