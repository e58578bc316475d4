package rules

import (
	"maps"
	"slices"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// These bound how many deliveries of old events Purge looks at: in one read, which reads one event however many it has, and of one event
// before it deletes some of them.
const (
	DeliveriesOfARead   = 5000
	DeliveriesOfADelete = 300
)

// Failures are errors of several kinds of rows, each text once: when the database cannot be written, they are all the same.
type Failures []error

func (f *Failures) Add(err error) {
	same := func(other error) bool { return other.Error() == err.Error() }
	if err != nil && !slices.ContainsFunc(*f, same) {
		*f = append(*f, err)
	}
}

// OwnRetention is how long a tenant keeps its events, by its own value of the limit event_retention.
type OwnRetention struct {
	Tenant  int64
	Seconds float64
}

// OwnRetentions are the tenants whose events are deleted row by row, with how far each was examined. The zero value is ready for use.
type OwnRetentions struct {
	read    time.Time
	tenants map[int64]*OwnScan
	queue   []int64 // to be examined in this round
}

// OwnScan is a scan of a tenant's events in the order of their ids. An event that must be kept is not read again before the next scan.
type OwnScan struct {
	Done  [16]byte
	begun time.Time
	last  time.Time // when it was last finished
	keeps time.Duration
}

// ownReview is how often the tenants with a retention of their own are read.
const ownReview = time.Minute

// Outdated reports whether the tenants must be read again.
func (o *OwnRetentions) Outdated(now time.Time) bool {
	age := now.Sub(o.read)
	return o.tenants == nil || age >= ownReview || age < 0
}

// Read replaces the tenants by those that were read now, and queues those of which events may be past their time. A tenant is
// examined when a hundredth of its time has passed, so that thousands of tenants cost little.
func (o *OwnRetentions) Read(now time.Time, read []OwnRetention) {
	before := o.tenants
	o.read, o.tenants, o.queue = now, make(map[int64]*OwnScan, len(read)), o.queue[:0]
	for _, r := range read {
		keeps := time.Duration(r.Seconds * float64(time.Second))
		scan := before[r.Tenant]
		if scan == nil || scan.keeps != keeps {
			scan = &OwnScan{keeps: keeps}
		}
		o.tenants[r.Tenant] = scan
		if age := now.Sub(scan.last); age >= keeps/100 || age < 0 {
			o.queue = append(o.queue, r.Tenant)
		}
	}
}

// Tenants returns the tenants that were read last.
func (o *OwnRetentions) Tenants() []int64 { return slices.Collect(maps.Keys(o.tenants)) }

// Next returns the tenant that is next in this round, and the first event that it keeps; false: none is left. Events from before the given time are the
// server's to delete.
func (o *OwnRetentions) Next(now, before time.Time) (tenant int64, scan *OwnScan, end bellwire.EventID, found bool) {
	for len(o.queue) > 0 {
		tenant = o.queue[len(o.queue)-1]
		scan = o.tenants[tenant]
		if from := now.Add(-scan.keeps); from.After(before) {
			if age := now.Sub(scan.begun); age >= bellwire.RetentionReview || age < 0 {
				scan.Done, scan.begun = bellwire.FirstID[bellwire.EventKind](before), now
			}
			return tenant, scan, bellwire.FirstID[bellwire.EventKind](from), true
		}
		o.Finish(now)
	}
	return 0, nil, end, false
}

// Finish takes the tenant that is next out of the round.
func (o *OwnRetentions) Finish(now time.Time) {
	last := len(o.queue) - 1
	o.tenants[o.queue[last]].last = now
	o.queue = o.queue[:last]
}
