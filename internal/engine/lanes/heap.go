package lanes

// heapItem is an element of a heap. It knows its index there, so that it can be moved and removed.
type heapItem[E any] interface {
	before(E) bool
	setIndex(i int) // -1: in no heap
}

// heapOf is a heap.Interface whose first element is before all others.
type heapOf[E heapItem[E]] []E

func (h heapOf[E]) Len() int           { return len(h) }
func (h heapOf[E]) Less(i, j int) bool { return h[i].before(h[j]) }

func (h heapOf[E]) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].setIndex(i)
	h[j].setIndex(j)
}

func (h *heapOf[E]) Push(x any) {
	e := x.(E)
	e.setIndex(len(*h))
	*h = append(*h, e)
}

func (h *heapOf[E]) Pop() any {
	var none E
	last := len(*h) - 1
	e := (*h)[last]
	(*h)[last] = none
	*h = (*h)[:last]
	e.setIndex(-1)
	return e
}
