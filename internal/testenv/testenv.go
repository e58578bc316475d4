// Package testenv reports to tests what their machine has.
//
// Under -short it has Go and nothing else, and little time: this is the only case in which tests are skipped. Without
// -short a test whose program is missing fails, because a check that is left out has not passed.
package testenv

import (
	"hash/fnv"
	"math/rand/v2"
	"os"
	"strconv"
	"sync"
	"testing"
)

// Needs skips, under -short, a test that needs a program other than Go.
func Needs(t testing.TB, program string) {
	t.Helper()
	if testing.Short() {
		t.Skipf("needs %s; run without -short", program)
	}
}

// Long skips, under -short, a test that takes long.
func Long(t testing.TB) {
	t.Helper()
	if testing.Short() {
		t.Skip("takes long; run without -short")
	}
}

// seedVariable repeats the random choices of a run.
const seedVariable = "BELLWIRE_SEED"

// seed is the same for all tests of a run.
var seed = sync.OnceValues(func() (uint64, error) {
	text := os.Getenv(seedVariable)
	if text == "" {
		return rand.Uint64(), nil
	}
	return strconv.ParseUint(text, 10, 64)
})

// Random returns a source of random choices for a test, and logs how to repeat them. It may be used by several goroutines
// at a time, although which of them gets which number is then not repeated.
func Random(t testing.TB) *rand.Rand {
	t.Helper()
	seed, err := seed()
	if err != nil {
		t.Fatalf("%s: %v", seedVariable, err)
	}
	t.Logf("repeat the random choices with %s=%d", seedVariable, seed)
	name := fnv.New64a()
	name.Write([]byte(t.Name()))
	return rand.New(&lockedSource{source: rand.NewPCG(seed, name.Sum64())})
}

// lockedSource is a source for several goroutines.
type lockedSource struct {
	mu     sync.Mutex
	source rand.Source
}

func (s *lockedSource) Uint64() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.source.Uint64()
}
