//go:build !unix

package main

import "math"

// outliveFileSizeLimit does nothing: this system has no signal for such a limit.
func outliveFileSizeLimit() {}

// descriptors returns the maximum: this system has no such limit.
func descriptors() int { return math.MaxInt }
