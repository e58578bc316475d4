package fifo

import (
	"testing"

	"pgregory.net/rapid"
)

func TestQueue(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var (
			q     Queue[int]
			model []int
			next  int
		)
		t.Repeat(map[string]func(*rapid.T){
			"push": func(*rapid.T) {
				q.Push(next)
				model = append(model, next)
				next++
			},
			"pop": func(t *rapid.T) {
				if len(model) == 0 {
					t.Skip("empty")
				}
				if got := q.Pop(); got != model[0] {
					t.Fatalf("popped %d, not %d", got, model[0])
				}
				model = model[1:]
			},
			"remove": func(t *rapid.T) {
				n := rapid.IntRange(0, next).Draw(t, "n")
				_, ok := q.Remove(func(v int) bool { return v == n })
				for i, v := range model {
					if v == n {
						model = append(model[:i:i], model[i+1:]...)
						if !ok {
							t.Fatalf("%d was not found", n)
						}
						break
					}
				}
			},
			"": func(t *rapid.T) {
				if q.Len() != len(model) {
					t.Fatalf("length %d, not %d", q.Len(), len(model))
				}
			},
		})
	})
}
