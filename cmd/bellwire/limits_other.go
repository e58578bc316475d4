//go:build !unix

package main

import "math"

// outliveFileSizeLimit does nothing where no signal tells of such a limit.
func outliveFileSizeLimit() {}

// descriptors is how many files and connections this process may have open: on this system nobody counts.
func descriptors() int { return math.MaxInt }
