package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/store/rules"
)

// lister reads a page of a list. K is what the list is ordered by.
type lister[T, K any] struct {
	page bellwire.Page
	scan func(pgx.Row) (T, K, error)
	key  func(K) []byte
	size func(T) int // as rules.Page counts it
}

// fetch returns how many rows to read: one more than the page has shows whether there is a next page.
func (l *lister[T, K]) fetch() int64 { return int64(l.page.Limit) + 1 }

// read runs a statement on a connection for lists, and makes a page of its rows.
func (l *lister[T, K]) read(ctx context.Context, s *Store, sql string, args ...any) (*bellwire.List[T], error) {
	var list *bellwire.List[T]
	err := s.list(ctx, func(tx *tx) (err error) {
		list, err = l.collect(tx, sql, args...)
		return err
	})
	return list, err
}

func (l *lister[T, K]) collect(tx *tx, sql string, args ...any) (*bellwire.List[T], error) {
	rows := tx.query(sql, args...)
	defer rows.Close()
	list := new(bellwire.List[T])
	var (
		end  K
		page = rules.NewPage(l.page.MostBytes())
		full bool
	)
	for rows.Next() {
		if full || len(list.Items) == l.page.Limit {
			list.Next = bellwire.MakeCursor(l.key(end))
			return list, nil
		}
		item, key, err := l.scan(rows)
		if err != nil {
			return nil, err
		}
		list.Items, end, full = append(list.Items, item), key, page.Add(l.size(item))
	}
	return list, rows.Err()
}

func idKey[ID ~[16]byte](id ID) []byte { return id[:] }
