// Package fifo holds a first-in first-out queue.
package fifo

// Queue is a first-in first-out queue in one slice that is reused. The zero value is an empty queue.
type Queue[T any] struct {
	items []T
	head  int
}

// Len returns the number of items.
func (q *Queue[T]) Len() int { return len(q.items) - q.head }

// Items returns the items, oldest first. They are valid until the queue changes. Only tests use it.
func (q *Queue[T]) Items() []T { return q.items[q.head:] }

// Push adds an item.
func (q *Queue[T]) Push(item T) { q.items = append(q.items, item) }

// First returns the oldest item. The queue must not be empty.
func (q *Queue[T]) First() T { return q.items[q.head] }

// Pop removes and returns the oldest item. The queue must not be empty.
func (q *Queue[T]) Pop() T {
	var zero T
	item := q.items[q.head]
	q.items[q.head] = zero
	q.head++
	switch {
	case q.head == len(q.items):
		q.items, q.head = q.items[:0], 0
	case q.head > 64 && q.head > len(q.items)/2:
		n := copy(q.items, q.items[q.head:])
		clear(q.items[n:])
		q.items, q.head = q.items[:n], 0
	}
	return item
}

// TakeAll empties the queue and returns what was in it.
func (q *Queue[T]) TakeAll() []T {
	items := q.items[q.head:]
	*q = Queue[T]{}
	return items
}

// Remove removes and returns the first item that matches, and reports whether there was one.
func (q *Queue[T]) Remove(match func(T) bool) (T, bool) {
	for i := q.head; i < len(q.items); i++ {
		if match(q.items[i]) {
			item := q.items[i]
			q.items = append(q.items[:i], q.items[i+1:]...)
			return item, true
		}
	}
	var zero T
	return zero, false
}
