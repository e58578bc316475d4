package testenv

import (
	"flag"
	"strconv"
)

// Cases has each property of a package tried in so many random cases instead of rapid's hundred, unless the command line says
// how many: for packages whose cases take long. Each run draws others. TestMain must call it after flag.Parse.
func Cases(count int) error {
	const name = "rapid.checks"
	given := false
	flag.Visit(func(f *flag.Flag) { given = given || f.Name == name })
	if given {
		return nil
	}
	return flag.Set(name, strconv.Itoa(count))
}
