package testenv

import (
	"flag"
	"strconv"
)

// Cases has each property of a package tried in so many random cases instead of rapid's hundred, unless the command line says
// how many: for packages whose cases take long. Each run draws others. TestMain calls it first; it parses the flags.
func Cases(count int) {
	const name = "rapid.checks"
	flag.Parse()
	given := false
	flag.Visit(func(f *flag.Flag) { given = given || f.Name == name })
	if given {
		return
	}
	if err := flag.Set(name, strconv.Itoa(count)); err != nil {
		panic(err) // the package has no property
	}
}
