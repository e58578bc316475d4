package postgres

import (
	"context"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// doubtFor is for how long a commit that was not answered can still come. A server whose disk stands still commits what it
// was told to when the disk goes on, long after the client has hung up.
const doubtFor = 15 * time.Minute

// maxDoubts bounds what is remembered: many groups, each of which waits for its answer for Options.Timeout.
const maxDoubts = 100_000

// doubts are deliveries of appends without an answer, which were to be taken into memory at once. If such an append
// is committed after everybody has given it up, no lane has its deliveries, and their epoch keeps them from being
// claimed: they are released as soon as they are there.
type doubts struct {
	mu     sync.Mutex
	places map[bellwire.DeliveryID]*doubt
}

type doubt struct {
	epoch int64
	until time.Time
	given bool // up: nobody holds a place for it
}

// add notes the deliveries of appends that were not answered.
func (d *doubts) add(appends []*bellwire.Append, now time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.places == nil {
		d.places = make(map[bellwire.DeliveryID]*doubt)
	}
	each(appends, func(n *bellwire.NewDelivery) {
		if n.Epoch != 0 && len(d.places) < maxDoubts {
			d.places[n.ID] = &doubt{epoch: n.Epoch, until: now.Add(doubtFor)}
		}
	})
}

// settle forgets the deliveries of an append that was answered after all.
func (d *doubts) settle(appends []*bellwire.Append, results []bellwire.AppendResult) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.places) == 0 {
		return
	}
	for i, r := range results {
		if r.Err == nil {
			each(appends[i:i+1], func(n *bellwire.NewDelivery) { delete(d.places, n.ID) })
		}
	}
}

func each(appends []*bellwire.Append, f func(*bellwire.NewDelivery)) {
	for _, a := range appends {
		for _, e := range a.Events {
			for i := range e.Deliveries {
				f(&e.Deliveries[i])
			}
		}
	}
}

// giveUp notes that deliveries were released, of which those in doubt may not have been there.
func (d *doubts) giveUp(taken []bellwire.ClaimToken) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, t := range taken {
		if p := d.places[t.Delivery]; p != nil {
			p.given = true
		}
	}
}

// due returns what is to be released if it is there, and forgets what cannot come any more.
func (d *doubts) due(now time.Time) (ids [][16]byte, epochs []int64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for id, p := range d.places {
		switch {
		case now.After(p.until):
			delete(d.places, id)
		case p.given:
			ids, epochs = append(ids, id), append(epochs, p.epoch)
		}
	}
	return ids, epochs
}

func (d *doubts) forget(ids [][16]byte) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, id := range ids {
		delete(d.places, id)
	}
}

// releaseDoubts releases what has been committed since it was given up.
func (s *Store) releaseDoubts(ctx context.Context) error {
	ids, epochs := s.doubts.due(time.Now())
	if len(ids) == 0 {
		return nil
	}
	var found [][16]byte
	err := s.write(ctx, func(tx *tx) (err error) {
		found, err = pgx.CollectRows(tx.query(sqlRelease+" RETURNING d.id", ids, epochs), pgx.RowTo[[16]byte])
		return err
	})
	if err == nil {
		s.doubts.forget(found)
	}
	return err
}
