package sim

import "time"

// clock runs actions in the order of their virtual times. Actions of the same time run in the order in which they were added, so a
// run depends only on its scenario and its seed.
type clock struct {
	now   time.Duration
	added uint64
	heap  []action
}

type action struct {
	at    time.Duration
	order uint64
	do    func()
}

func (a *action) before(b *action) bool {
	return a.at < b.at || a.at == b.at && a.order < b.order
}

// after runs do when the given time has passed.
func (c *clock) after(delay time.Duration, do func()) {
	c.added++
	c.heap = append(c.heap, action{at: c.now + max(delay, 0), order: c.added, do: do})
	for i := len(c.heap) - 1; i > 0; {
		parent := (i - 1) / 2
		if !c.heap[i].before(&c.heap[parent]) {
			return
		}
		c.heap[i], c.heap[parent] = c.heap[parent], c.heap[i]
		i = parent
	}
}

// run runs all actions up to the given time.
func (c *clock) run(until time.Duration) {
	for len(c.heap) > 0 && c.heap[0].at <= until {
		next := c.pop()
		c.now = next.at
		next.do()
	}
	c.now = until
}

func (c *clock) pop() action {
	first, last := c.heap[0], len(c.heap)-1
	c.heap[0] = c.heap[last]
	c.heap[last] = action{}
	c.heap = c.heap[:last]
	for i := 0; ; {
		least := i
		for child := 2*i + 1; child <= 2*i+2 && child < last; child++ {
			if c.heap[child].before(&c.heap[least]) {
				least = child
			}
		}
		if least == i {
			return first
		}
		c.heap[i], c.heap[least] = c.heap[least], c.heap[i]
		i = least
	}
}
