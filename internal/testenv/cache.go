package testenv

import "flag"

// Uncached has go test run the tests of a package each time. It would otherwise repeat an earlier result although a program has
// changed that the tests build, because it knows only what the tests import and read. TestMain must call it after flag.Parse.
func Uncached() error {
	return flag.Set("test.testlogfile", "") // go test keeps no result without this list of what the tests read
}
