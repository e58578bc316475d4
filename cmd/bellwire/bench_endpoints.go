package main

import "strconv"

func benchTenant(endpoint int) string { return "bench-" + strconv.Itoa(endpoint) }

// customers is how many there are, with one endpoint each. The one that floods comes after the others.
func (c *benchCommand) customers() int {
	if c.Flood {
		return c.Endpoints + 1
	}
	return c.Endpoints
}

// room is how many events may be published in a run.
func (c *benchCommand) room() int {
	if c.Flood {
		return 2*c.Events + c.floodRoom()
	}
	if c.comparesNodes() {
		return 3 * c.Events
	}
	return c.Events + c.Backlog
}

// comparesNodes tells whether publishing on an endpoint's own node is compared with publishing on another.
func (c *benchCommand) comparesNodes() bool { return c.Nodes > 1 && c.Rate > 0 }

// kind says how an endpoint behaves. The kinds are spread evenly.
func (c *benchCommand) kind(endpoint int) string {
	if endpoint >= c.Endpoints {
		return "healthy"
	}
	place := float64(endpoint*7919%c.Endpoints) / float64(c.Endpoints)
	switch {
	case place < c.Hanging:
		return "hanging"
	case place < c.Hanging+c.Failing:
		return "failing"
	case place < c.Hanging+c.Failing+c.Resetting:
		return "resetting"
	case place < c.Hanging+c.Failing+c.Resetting+c.Slow:
		return "slow"
	}
	return "healthy"
}

// acknowledges tells whether deliveries to the endpoint are expected to arrive.
func (c *benchCommand) acknowledges(endpoint int) bool {
	kind := c.kind(endpoint)
	return kind == "healthy" || kind == "slow"
}
