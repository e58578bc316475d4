package sim

import (
	"flag"
	"fmt"
	"os"
	"testing"

	"github.com/bellwire/bellwire/internal/testenv"
)

func TestMain(m *testing.M) {
	flag.Parse()
	if err := testenv.Cases(25); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(m.Run())
}
