package sim

import (
	"os"
	"testing"

	"github.com/bellwire/bellwire/internal/testenv"
)

func TestMain(m *testing.M) {
	testenv.Cases(25)
	os.Exit(m.Run())
}
