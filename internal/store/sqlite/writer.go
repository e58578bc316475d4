package sqlite

import (
	"context"
	"errors"
	"runtime"
	"sync/atomic"

	"zombiezen.com/go/sqlite"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/store/rollup"
	"github.com/bellwire/bellwire/internal/store/rules"
)

const (
	maxQueued = 256 // writes that wait; callers beyond them wait for a place
	maxGroup  = 128 // writes in one transaction
)

// write is one caller's operation on its way through the writer.
type write struct {
	run   func(*writer) error
	state atomic.Int32
	err   error // why it was refused by itself
	done  chan error
}

// The states of a write. Only a waiting one can be withdrawn.
const (
	waiting = iota
	running
	withdrawn
)

// writer is the one connection that writes. All writes that are queued when a transaction begins share it, and its fsync.
type writer struct {
	db
	store  *Store
	group  []*write
	refs   refs
	facts  rules.AppendFacts // of the append that is being stored
	delta  rollup.Delta      // what the statistics do not count yet
	opened int               // change of the number of open deliveries in this transaction
	clock  int64             // the time of the newest event, in microseconds since 1970
	turn   int64             // the tenant that FanOut has served last
	busy   bool              // the last transaction found the database locked

	settles   bool          // this transaction stores the delta
	news      []*rules.News // of the results that are being recorded
	announced bool          // this transaction has kept operational events
}

// write executes run in a transaction, and returns once the transaction is on disk. If run returns a *bellwire.Error, only this
// operation is refused, and run must not have written anything. Any other error undoes the transaction, and run may be executed
// again.
func (s *Store) write(ctx context.Context, run func(*writer) error) error {
	if bellwire.IsDryRun(ctx) {
		return bellwire.ErrDryRun
	}
	if change := bellwire.AuditOf(ctx); change != nil {
		run = auditing(change, run)
	}
	if r := bellwire.RequestOf(ctx); r != nil {
		run = marking(r, run)
	}
	if around := s.options.around; around != nil {
		return around(func() error { return s.queued(ctx, run) })
	}
	return s.queued(ctx, run)
}

// queued has the writer execute run.
func (s *Store) queued(ctx context.Context, run func(*writer) error) error {
	op := &write{run: run, done: make(chan error, 1)}
	if err := s.enqueue(ctx, op); err != nil {
		return err
	}
	select {
	case err := <-op.done:
		return err
	case <-ctx.Done():
	}
	if op.state.CompareAndSwap(waiting, withdrawn) {
		return gaveUp(ctx)
	}
	return <-op.done
}

func (s *Store) enqueue(ctx context.Context, op *write) error {
	if ctx.Err() != nil {
		return gaveUp(ctx)
	}
	s.closing.RLock() // so that the queue is not closed while something is being put into it
	defer s.closing.RUnlock()
	if s.closed {
		return errClosed
	}
	select {
	case s.queue <- op:
		return nil
	case <-ctx.Done():
		return gaveUp(ctx)
	}
}

// serve executes what is queued until the queue is closed.
func (w *writer) serve() {
	checkpointer := w.store.checkpointer
	for {
		select {
		case op, ok := <-w.store.queue:
			if !ok {
				return
			}
			w.gather(op)
			w.execute(w.group)
			clear(w.group)
			checkpointer.wake()
		case answer := <-checkpointer.finish:
			answer <- checkpointer.end(w)
		}
	}
}

// gather makes a group of the operation and all others in the queue. It first yields the processor, so that callers whose
// writes have just been answered can queue the next ones. Otherwise two busy callers would take turns and never share a
// transaction.
func (w *writer) gather(op *write) {
	runtime.Gosched()
	w.group = w.group[:0]
	for ok := true; ok; {
		if op.state.CompareAndSwap(waiting, running) {
			w.group = append(w.group, op)
		}
		if len(w.group) == maxGroup {
			return
		}
		select {
		case op, ok = <-w.store.queue:
		default:
			return
		}
	}
}

// execute runs the group in one transaction. If the database refuses the group because of what a caller wrote, execute runs each
// operation by itself.
func (w *writer) execute(group []*write) {
	if len(group) == 0 {
		return
	}
	err := w.store.sound()
	if err == nil {
		err = w.transact(group)
	}
	if err != nil && len(group) > 1 && ofCaller(err) {
		for i := range group {
			w.execute(group[i : i+1])
		}
		return
	}
	for _, op := range group {
		if err != nil {
			op.err = err
		}
		op.done <- w.store.translate(op.err)
	}
}

func (w *writer) transact(group []*write) error {
	w.opened, w.settles, w.announced = 0, false, false
	counted := w.delta.Mark()
	err := w.begin()
	for _, op := range group {
		if err != nil {
			break
		}
		var refused *bellwire.Error
		op.err = w.run(op)
		if op.err != nil && !errors.As(op.err, &refused) {
			err = op.err
		}
	}
	if err == nil {
		err = w.storeDelta()
	}
	if err == nil {
		err = w.exec("COMMIT")
	}
	if err != nil {
		w.delta.Cut(counted)
		w.rollback()
		return err
	}
	if w.settles {
		w.delta.Reset()
	}
	w.store.counted.Store(int64(w.delta.Len()))
	w.store.open.Add(int64(w.opened))
	if w.announced {
		select {
		case w.store.announced <- struct{}{}:
		default:
		}
	}
	return nil
}

func (w *writer) run(op *write) error {
	if runs := w.store.options.runs; runs != nil {
		return runs(w, op.run)
	}
	return op.run(w)
}

// begin begins a transaction. It waits while another program has one open. After a wait in vain, later waits are short, until
// the database is free again.
func (w *writer) begin() error {
	err := w.exec("BEGIN IMMEDIATE")
	busy := sqlite.ErrCode(err).ToPrimary() == sqlite.ResultBusy
	if busy == w.busy {
		return err
	}
	w.busy = busy
	if busy {
		w.conn.SetBusyTimeout(busyAgain)
	} else {
		w.conn.SetBusyTimeout(w.store.options.busyWait)
	}
	return err
}

// rollback undoes the transaction, unless SQLite has done it already, as it does on some errors.
func (w *writer) rollback() {
	w.refs.forget()
	if w.conn.AutocommitEnabled() {
		return
	}
	// An error here leaves the transaction open, and the next BEGIN will say so.
	_ = w.exec("ROLLBACK")
}

// refs caches tenants and endpoints, so that an append needs no look-up. Only the writer changes them, so the cache is
// never out of date.
type refs struct {
	tenants   map[string]tenantRef
	ids       map[int64]string       // of those in tenants
	endpoints map[string]endpointRef // that are not deleted
	operator  int64                  // the operator's revision; 0: not known
	deferred  map[int64]int          // number of deliveries deferred to FanOut, by tenant; nil: not loaded
}

type tenantRef struct{ n, revision int64 }

type endpointRef struct {
	n, tenant int64
	deleted   bool
}

const maxRefs = 1 << 16

func (r *refs) forget() {
	r.tenants = make(map[string]tenantRef)
	r.ids = make(map[int64]string)
	r.endpoints = make(map[string]endpointRef)
	r.operator = 0
	r.deferred = nil
}

// tenant finds a tenant that is not deleted.
func (w *writer) tenant(id string) (tenantRef, error) {
	if ref, ok := w.refs.tenants[id]; ok {
		return ref, nil
	}
	q := w.query("SELECT n, revision FROM tenants WHERE id = ? AND deleted_at IS NULL").text(id)
	found, err := q.one()
	if err != nil {
		return tenantRef{}, err
	}
	if !found {
		return tenantRef{}, bellwire.NotFound("tenant", id)
	}
	ref := tenantRef{n: q.getInt(), revision: q.getInt()}
	if len(w.refs.tenants) >= maxRefs {
		clear(w.refs.tenants)
		clear(w.refs.ids)
	}
	w.refs.tenants[id], w.refs.ids[ref.n] = ref, id
	return ref, q.close()
}

// endpoint finds an endpoint, a deleted one too.
func (w *writer) endpoint(id string) (endpointRef, error) {
	if ref, ok := w.refs.endpoints[id]; ok {
		return ref, nil
	}
	q := w.query("SELECT n, tenant, deleted_at IS NOT NULL FROM endpoints WHERE id = ?").text(id)
	found, err := q.one()
	if err != nil {
		return endpointRef{}, err
	}
	if !found {
		return endpointRef{}, bellwire.NotFound("endpoint", id)
	}
	ref := endpointRef{n: q.getInt(), tenant: q.getInt(), deleted: q.getBool()}
	if ref.deleted {
		return ref, q.close()
	}
	if len(w.refs.endpoints) >= maxRefs {
		clear(w.refs.endpoints)
	}
	w.refs.endpoints[id] = ref
	return ref, q.close()
}

func (w *writer) operatorRevision() (int64, error) {
	if w.refs.operator != 0 {
		return w.refs.operator, nil
	}
	revision, _, err := w.query("SELECT " + sqlOperatorRevision).scalar()
	w.refs.operator = revision
	return revision, err
}

// nextRevision numbers a change of configuration.
func (w *writer) nextRevision() (int64, error) {
	revision, _, err := w.query("UPDATE meta SET value = value + 1 WHERE name = 'revision' RETURNING value").scalar()
	return revision, err
}

// changeTenant raises a tenant's revision.
func (w *writer) changeTenant(n int64) (int64, error) {
	revision, err := w.nextRevision()
	if err != nil {
		return 0, err
	}
	delete(w.refs.tenants, w.refs.ids[n]) // what is cached of other tenants stays valid
	delete(w.refs.ids, n)
	return revision, w.query("UPDATE tenants SET revision = ? WHERE n = ?").int(revision).int(n).exec()
}

// changeOperator raises the operator's revision.
func (w *writer) changeOperator() error {
	revision, err := w.nextRevision()
	if err != nil {
		return err
	}
	w.refs.operator = 0
	return w.query("UPDATE meta SET value = ? WHERE name = 'operator_revision'").int(revision).exec()
}

// isConflict reports whether a statement broke a uniqueness rule.
func isConflict(err error) bool {
	code := sqlite.ErrCode(err)
	return code == sqlite.ResultConstraintUnique || code == sqlite.ResultConstraintPrimaryKey
}
