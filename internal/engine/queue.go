package engine

// queue is a first-in first-out queue in one slice that is reused.
type queue[T any] struct {
	items []T
	head  int
}

func (q *queue[T]) len() int { return len(q.items) - q.head }

func (q *queue[T]) push(item T) { q.items = append(q.items, item) }

// first returns the oldest item. The queue must not be empty.
func (q *queue[T]) first() T { return q.items[q.head] }

// pop removes the oldest item. The queue must not be empty.
func (q *queue[T]) pop() T {
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

// takeAll empties the queue.
func (q *queue[T]) takeAll() []T {
	items := q.items[q.head:]
	*q = queue[T]{}
	return items
}

// remove takes out the first item that match tells of.
func (q *queue[T]) remove(match func(T) bool) (T, bool) {
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
