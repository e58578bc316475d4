package limits

import (
	"fmt"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// Bounds on filters. A step takes less than a tenth of a microsecond.
const (
	FilterBytes        = 4096   // of an expression
	FilterNodes        = 500    // parts that an expression consists of
	FilterDepth        = 60     // of parts within each other
	FilterInstructions = 500    // of all regular expressions of a filter together
	FilterSteps        = 50_000 // of one evaluation, and one for every FilterBytesPerStep bytes of data
	FilterBytesPerStep = 4
	ConvertedBytes     = 64 << 10  // that a converter's result may have more than its data
	ShortFilterSteps   = 100_000   // of one publication; one that takes more waits for its tenant's turn
	FilterTurnSteps    = 2_000_000 // after which a long one lets others go before it
	// All filters of a publication together may take AllFilterSteps, and StepsPerFilter for each of them and each event. After that,
	// filters have failed without being evaluated.
	AllFilterSteps = 10_000_000
	StepsPerFilter = 200
	// An event is explained with filters that are evaluated again, as part of the read. CompileSteps for each byte of one that must be
	// compiled count too.
	ExplainSteps = 2_000_000
	CompileSteps = 25
	// Trials of filters and of versions on stored events, a few at a time, because each has a page of events in memory. What a trial may
	// take is at hand at once, twice.
	Trials          = 4
	TrialsOf        = 64               // of one tenant that wait
	TrialWait       = 20 * time.Second // for a place
	TrialSteps      = 2_000_000        // per second
	TrialStepsBurst = 2 * AllFilterSteps
	// FilterMemory is how many times the limit configuration_bytes of a tenant its compiled filters may take in memory.
	FilterMemory = 4
)

var longFilters = Resource{
	Name: fmt.Sprintf("Filters of a publication that take more than %s steps", bellwire.Number(ShortFilterSteps)),
	Bound: fmt.Sprintf("those of bodies over 64 KiB, above; %s steps for each filter and event, plus one for every %d bytes of data",
		bellwire.Number(FilterSteps), FilterBytesPerStep) + fmt.Sprintf("; %s steps for all of a publication, plus %d for each filter and event", bellwire.Number(AllFilterSteps), StepsPerFilter),
	Share:   fmt.Sprintf("%s steps per turn while others wait", bellwire.Number(FilterTurnSteps)),
	Reserve: "smaller publications do not wait",
	Order:   "tenants take turns",
	Answer:  "429 `rate_limited` with `Retry-After`; a filter beyond its steps has failed, and its endpoint's `on_error` decides",
}

var filterTrials = Resource{
	Name:  "Trials of filters and of versions on stored events",
	Bound: fmt.Sprintf("%d at a time; %s steps for a trial, in the turns of bodies over 64 KiB, above", Trials, bellwire.Number(AllFilterSteps)),
	Share: fmt.Sprintf("all places but one; %d waiting, each for up to %v; %s steps per second on each node, and %s at once, whoever requests them; %s steps per turn while others wait",
		TrialsOf, TrialWait, bellwire.Number(TrialSteps), bellwire.Number(TrialStepsBurst), bellwire.Number(FilterTurnSteps)),
	Reserve: "one place for tenants without a trial in progress",
	Order:   "tenants take turns",
	Answer:  "429 `rate_limited` with `Retry-After`, before events are read; a trial that has begun ends early, with fewer events",
}
