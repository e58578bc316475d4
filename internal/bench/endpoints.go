package bench

import "strconv"

func tenantID(endpoint int) string { return "bench-" + strconv.Itoa(endpoint) }

// customers returns the number of customers, who have one endpoint each. The one that floods is the last.
func (o *Options) customers() int {
	if o.Flood {
		return o.Endpoints + 1
	}
	return o.Endpoints
}

// room returns how many events may be published in a run.
func (o *Options) room() int {
	if o.Flood {
		return 2*o.Events + o.floodRoom()
	}
	if o.comparesNodes() {
		return 3 * o.Events
	}
	return o.Events + o.Backlog
}

// comparesNodes reports whether publishing on an endpoint's own node is compared with publishing on another.
func (o *Options) comparesNodes() bool { return o.Nodes > 1 && o.Rate > 0 }

// kind returns the behaviour of an endpoint. The kinds are spread evenly.
func (o *Options) kind(endpoint int) string {
	if endpoint >= o.Endpoints {
		return "healthy"
	}
	place := float64(endpoint*7919%o.Endpoints) / float64(o.Endpoints)
	switch {
	case place < o.Hanging:
		return "hanging"
	case place < o.Hanging+o.Failing:
		return "failing"
	case place < o.Hanging+o.Failing+o.Resetting:
		return "resetting"
	case place < o.Hanging+o.Failing+o.Resetting+o.Slow:
		return "slow"
	}
	return "healthy"
}

// acknowledges reports whether deliveries to the endpoint are expected to succeed.
func (o *Options) acknowledges(endpoint int) bool {
	kind := o.kind(endpoint)
	return kind == "healthy" || kind == "slow"
}
