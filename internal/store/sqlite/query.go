package sqlite

import (
	"time"

	"zombiezen.com/go/sqlite"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// db is a connection with the statements prepared on it. It is used by one goroutine at a time.
type db struct {
	conn    *sqlite.Conn
	queries map[string]*query
	seen    func(sql string)       // called with each statement that is prepared; nil outside of tests
	fails   func(sql string) error // called before each statement, which fails if it returns an error; nil outside of tests
}

// query is a prepared statement. Parameters are bound and columns are read from left to right:
//
//	err := c.query(sql).int(n).text(id).exec()
type query struct {
	stmt   *sqlite.Stmt
	param  int
	column int
	err    error
}

// query returns the statement, ready for its parameters. Statements say LIMIT +?, not LIMIT ?, because SQLite plans for
// the value of a bare parameter, and so would prepare them again whenever another is bound.
func (c *db) query(sql string) *query {
	if c.fails != nil {
		if err := c.fails(sql); err != nil {
			return &query{err: err}
		}
	}
	q := c.queries[sql]
	if q == nil {
		stmt, err := c.conn.Prepare(sql)
		if err != nil {
			return &query{err: err}
		}
		q = &query{stmt: stmt}
		c.queries[sql] = q
		if c.seen != nil {
			c.seen(sql)
		}
	}
	q.param, q.column, q.err = 0, 0, nil
	return q
}

// exec runs a statement without parameters.
func (c *db) exec(sql string) error { return c.query(sql).exec() }

// bind advances to the next parameter, and reports whether there is a statement to bind it to.
func (q *query) bind() bool {
	q.param++
	return q.err == nil
}

func (q *query) int(v int64) *query {
	if q.bind() {
		q.stmt.BindInt64(q.param, v)
	}
	return q
}

// intOrNull binds a number; a negative one is NULL.
func (q *query) intOrNull(v int64) *query {
	if v < 0 {
		return q.null()
	}
	return q.int(v)
}

func (q *query) bool(v bool) *query {
	if v {
		return q.int(1)
	}
	return q.int(0)
}

func (q *query) float(v float64) *query {
	if q.bind() {
		q.stmt.BindFloat(q.param, v)
	}
	return q
}

func (q *query) text(v string) *query {
	if q.bind() {
		q.stmt.BindText(q.param, v)
	}
	return q
}

// version binds the version of an event's data.
func (q *query) version(v bellwire.Version) *query {
	if v.Since == 0 {
		return q.null()
	}
	return q.int(v.Encode())
}

// textOrNull binds a text; an empty one is NULL.
func (q *query) textOrNull(v string) *query {
	if v == "" {
		return q.null()
	}
	return q.text(v)
}

// blob binds bytes; nil is NULL.
func (q *query) blob(v []byte) *query {
	if v == nil {
		return q.null()
	}
	if q.bind() {
		q.stmt.BindBytes(q.param, v)
	}
	return q
}

// data binds bytes that are never NULL.
func (q *query) data(v []byte) *query {
	if q.bind() {
		q.stmt.BindBytes(q.param, v)
	}
	return q
}

func (q *query) null() *query {
	if q.bind() {
		q.stmt.BindNull(q.param)
	}
	return q
}

func (q *query) time(t time.Time) *query { return q.int(t.UnixMicro()) }

// timeOrNull binds a time; zero is NULL.
func (q *query) timeOrNull(t time.Time) *query {
	if t.IsZero() {
		return q.null()
	}
	return q.time(t)
}

// next steps to the next row. When there is none, or on an error, the statement is over.
func (q *query) next() bool {
	if q.err != nil {
		return false
	}
	q.column = 0
	more, err := q.stmt.Step()
	switch {
	case err != nil:
		q.err = err
	case !more:
		q.err = q.stmt.Reset()
	}
	return more && q.err == nil
}

// close ends the statement before its last row, and returns the error that there was.
func (q *query) close() error {
	if q.stmt == nil {
		return q.err
	}
	if err := q.stmt.Reset(); q.err == nil {
		q.err = err
	}
	return q.err
}

// exec runs the statement to its end.
func (q *query) exec() error {
	for q.next() {
	}
	return q.err
}

// one steps to the first row, and reports whether there is one. The caller must read it and then call close.
func (q *query) one() (bool, error) {
	found := q.next()
	return found, q.err
}

// scalar returns the first column of the first row, and whether there was a row.
func (q *query) scalar() (int64, bool, error) {
	found := q.next()
	if !found {
		return 0, false, q.err
	}
	v := q.getInt()
	return v, true, q.close()
}

func (q *query) getInt() int64 {
	q.column++
	return q.stmt.ColumnInt64(q.column - 1)
}

func (q *query) getBool() bool { return q.getInt() != 0 }

func (q *query) getFloat() float64 {
	q.column++
	return q.stmt.ColumnFloat(q.column - 1)
}

func (q *query) getText() string {
	q.column++
	return q.stmt.ColumnText(q.column - 1)
}

// getBlob returns a copy of the bytes; NULL is nil.
func (q *query) getBlob() []byte {
	q.column++
	if q.stmt.ColumnIsNull(q.column - 1) {
		return nil
	}
	b := make([]byte, q.stmt.ColumnLen(q.column-1))
	q.stmt.ColumnBytes(q.column-1, b)
	return b
}

// getBytes copies a blob of a known size, such as an id.
func (q *query) getBytes(into []byte) {
	q.column++
	q.stmt.ColumnBytes(q.column-1, into)
}

func (q *query) getTime() time.Time { return time.UnixMicro(q.getInt()).UTC() }

// getTimeOrZero returns a time; NULL is zero.
func (q *query) getTimeOrZero() time.Time {
	if q.isNull() {
		q.skip()
		return time.Time{}
	}
	return q.getTime()
}

// skip passes over a column.
func (q *query) skip() { q.column++ }

// isNull reports whether the next column is NULL.
func (q *query) isNull() bool { return q.stmt.ColumnIsNull(q.column) }
