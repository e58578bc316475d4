package engine

// turns is what waits, by owner. Owners take turns, and what one of them has comes in its order. The zero value is ready.
type turns[T any] struct {
	owners map[string]*waiter[T]
	order  queue[*waiter[T]]
}

// waiter is one owner with something that waits.
type waiter[T any] struct {
	owner string
	items queue[T]
}

func (t *turns[T]) push(owner string, item T) {
	w := t.owners[owner]
	if w == nil {
		if t.owners == nil {
			t.owners = make(map[string]*waiter[T])
		}
		w = &waiter[T]{owner: owner}
		t.owners[owner] = w
		t.order.push(w)
	}
	w.items.push(item)
}

// pop takes the next item, and reports whether there was one.
func (t *turns[T]) pop() (item T, ok bool) {
	if t.order.len() == 0 {
		return item, false
	}
	w := t.order.pop()
	item = w.items.pop()
	if w.items.len() == 0 {
		delete(t.owners, w.owner)
	} else {
		t.order.push(w)
	}
	return item, true
}
