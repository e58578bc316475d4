package engine

import "github.com/bellwire/bellwire/internal/engine/fifo"

// fairQueue is a queue of items by owner. Owners take turns, and the items of one owner come in order. The zero value is empty.
type fairQueue[T any] struct {
	owners map[string]*waiter[T]
	order  fifo.Queue[*waiter[T]]
}

// waiter is an owner with items that wait.
type waiter[T any] struct {
	owner string
	items fifo.Queue[T]
}

func (t *fairQueue[T]) push(owner string, item T) {
	w := t.owners[owner]
	if w == nil {
		if t.owners == nil {
			t.owners = make(map[string]*waiter[T])
		}
		w = &waiter[T]{owner: owner}
		t.owners[owner] = w
		t.order.Push(w)
	}
	w.items.Push(item)
}

// pop removes the next item, and reports whether there was one.
func (t *fairQueue[T]) pop() (item T, ok bool) {
	if t.order.Len() == 0 {
		return item, false
	}
	w := t.order.Pop()
	item = w.items.Pop()
	if w.items.Len() == 0 {
		delete(t.owners, w.owner)
	} else {
		t.order.Push(w)
	}
	return item, true
}
