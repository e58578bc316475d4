package sqlite

import (
	"context"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/store/rules"
)

// lister reads a page of a list. K is what the list is ordered by.
type lister[T, K any] struct {
	page bellwire.Page
	scan func(*query) (T, K, error)
	key  func(K) []byte
	size func(T) int // as rules.Page counts it
}

func newLister[T, K any](page bellwire.Page, scan func(*query) (T, K, error), key func(K) []byte, size func(T) int) *lister[T, K] {
	return &lister[T, K]{page, scan, key, size}
}

// fetch returns how many rows to read: one more than the page has shows that there is a next one.
func (l *lister[T, K]) fetch() int64 { return int64(l.page.Limit) + 1 }

// read runs the query on a connection for lists.
func (l *lister[T, K]) read(ctx context.Context, s *Store, prepare func(*db) *query) (*bellwire.List[T], error) {
	var list *bellwire.List[T]
	err := s.list(ctx, func(c *db) (err error) {
		list, err = l.collect(prepare(c))
		return err
	})
	return list, err
}

// collect reads the rows of the query until the page is full.
func (l *lister[T, K]) collect(q *query) (*bellwire.List[T], error) {
	list := new(bellwire.List[T])
	var (
		end  K
		page = rules.NewPage(l.page.MostBytes())
		full bool
	)
	for q.next() {
		if full || len(list.Items) == l.page.Limit {
			list.Next = bellwire.MakeCursor(l.key(end))
			return list, q.close()
		}
		item, key, err := l.scan(q)
		if err != nil {
			return nil, firstError(q.close(), err)
		}
		list.Items, end, full = append(list.Items, item), key, page.Add(l.size(item))
	}
	if q.err != nil {
		return nil, q.err
	}
	return list, nil
}
