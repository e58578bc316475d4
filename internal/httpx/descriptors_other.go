//go:build !unix

package httpx

import "math"

// descriptors is how many files and connections this process may have open: on this system nobody counts.
func descriptors() int { return math.MaxInt }
