package postgres

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/bellwire/bellwire/internal/bellwire"
)

const (
	channel = "bellwire"
	// maxPayload bounds the size of one notification: PostgreSQL accepts less than 8000 bytes.
	maxPayload = 7000
	sqlNotify  = "SELECT pg_notify('" + channel + "', $1)"
)

// message is a bellwire.Notification as it is sent.
type message struct {
	From          string   `json:"f"` // the instance of the sender
	Endpoints     []string `json:"e,omitempty"`
	Search        bool     `json:"p,omitempty"`
	Tenant        string   `json:"t,omitempty"`
	Configuration bool     `json:"c,omitempty"`
	Leases        bool     `json:"l,omitempty"`
	Unmatched     bool     `json:"u,omitempty"` // sent by the SQL function bellwire.publish
	FanOut        bool     `json:"o,omitempty"`
	Erased        string   `json:"x,omitempty"` // the id of an event
	Missed        bool     `json:"m,omitempty"` // for the sender too

	Canceled []bellwire.DeliveryID `json:"d,omitempty"` // at most maxCanceled, of the only endpoint

	Told json.RawMessage `json:"v,omitempty"`
}

func (m *message) notification() bellwire.Notification {
	var erased bellwire.EventID
	if m.Erased != "" && erased.UnmarshalText([]byte(m.Erased)) != nil {
		erased = bellwire.EventID{}
	}
	return bellwire.Notification{
		Erased: erased, Endpoints: m.Endpoints, Search: m.Search, Canceled: m.Canceled, Tenant: m.Tenant, Configuration: m.Configuration, Leases: m.Leases, Unmatched: m.Unmatched,
		FanOut: m.FanOut, Missed: m.Missed, Told: m.Told,
	}
}

// sender is how this process names itself in messages.
func (s *Store) sender() string { return hex.EncodeToString(s.instance[:]) }

// encode returns the payloads of a message: more than one if it names many endpoints.
func (s *Store) encode(m message) []string {
	m.From = s.sender()
	var payloads []string
	for rest := m.Endpoints; ; {
		size := 0
		part := rest
		for i, endpoint := range rest {
			if size += len(endpoint) + 3; size > maxPayload-256 {
				part = rest[:i]
				break
			}
		}
		m.Endpoints, rest = part, rest[len(part):]
		payload, err := json.Marshal(m)
		if err != nil { // cannot happen: the message holds strings and booleans
			panic(err)
		}
		payloads = append(payloads, string(payload))
		if len(rest) == 0 {
			return payloads
		}
	}
}

// notify sends a message to other nodes when the transaction commits. Frequent transactions must use the notifier instead.
func (s *Store) notify(tx *tx, m message) error {
	for _, payload := range s.encode(m) {
		if err := tx.exec(sqlNotify, payload); err != nil {
			return err
		}
	}
	return nil
}

// maxCanceled bounds the deliveries that one message names. Each takes 39 bytes.
const maxCanceled = 150

// notifyCanceled has the endpoint's owner, if that is another node, learn at the commit which deliveries were canceled.
func (s *Store) notifyCanceled(tx *tx, endpoint string, ids []bellwire.DeliveryID) error {
	if s.owned.Load().Epoch(endpoint) != 0 {
		return nil
	}
	for part := range slices.Chunk(ids, maxCanceled) {
		if err := s.notify(tx, message{Endpoints: []string{endpoint}, Canceled: part}); err != nil {
			return err
		}
	}
	return nil
}

const (
	// maxPendingEndpoints bounds the endpoints that wait in a notifier.
	maxPendingEndpoints = 10_000
	// notifyPause is the time between two attempts to send.
	notifyPause = time.Second
	// flushTimeout bounds the last attempt, when the store closes.
	flushTimeout = 2 * time.Second
)

// notifier sends the notifications of frequent transactions after their commit, in transactions of its own. A COMMIT
// with a NOTIFY holds a lock of the whole server until it is flushed to disk, so all such commits would run one after
// the other. What is added while a message is being sent goes into the next one.
//
// A process that dies between a commit and its notification leaves other nodes uninformed: they scan for due endpoints
// when they find it dead.
type notifier struct {
	send func(context.Context, message) error
	log  *slog.Logger

	mu        sync.Mutex
	endpoints map[string]bool
	search    bool // some may not have been forwarded
	fanOut    bool
	missed    bool // there were too many endpoints to name them

	wake chan struct{} // capacity 1
	stop context.CancelFunc
	done chan struct{}
}

// startNotifier returns a notifier that runs until it is closed.
func startNotifier(send func(context.Context, message) error, log *slog.Logger) *notifier {
	ctx, stop := context.WithCancel(context.Background())
	n := &notifier{
		send: send, log: log, endpoints: make(map[string]bool), wake: make(chan struct{}, 1), stop: stop, done: make(chan struct{}),
	}
	go n.run(ctx)
	return n
}

// add schedules a notification about endpoints that have something new to claim, and about deliveries deferred to FanOut.
func (n *notifier) add(endpoints []string, fanOut bool) {
	if len(endpoints) == 0 && !fanOut {
		return
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.merge(message{Endpoints: endpoints, FanOut: fanOut})
	n.poke()
}

// requestSearch schedules a notification about endpoints to whose owners deliveries may not have been forwarded.
func (n *notifier) requestSearch(endpoints []string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.merge(message{Endpoints: endpoints, Search: true})
	n.poke()
}

func (n *notifier) merge(m message) {
	n.fanOut, n.search, n.missed = n.fanOut || m.FanOut, n.search || m.Search, n.missed || m.Missed
	for _, id := range m.Endpoints {
		n.endpoints[id] = true
	}
	if len(n.endpoints) > maxPendingEndpoints {
		n.missed = true
	}
	if n.missed { // the receivers will look at all endpoints
		clear(n.endpoints)
	}
}

func (n *notifier) poke() {
	select {
	case n.wake <- struct{}{}:
	default:
	}
}

// take removes what is pending and returns it as a message.
func (n *notifier) take() (m message, any bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	m = message{Endpoints: slices.Sorted(maps.Keys(n.endpoints)), Search: n.search, FanOut: n.fanOut, Missed: n.missed}
	clear(n.endpoints)
	n.search, n.fanOut, n.missed = false, false, false
	return m, len(m.Endpoints) > 0 || m.FanOut || m.Missed
}

// putBack makes a message pending again that could not be sent.
func (n *notifier) putBack(m message) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.merge(m)
}

func (n *notifier) run(ctx context.Context) {
	defer close(n.done)
	for failing := false; ; {
		select {
		case <-n.wake:
		case <-ctx.Done():
			n.flush()
			return
		}
		err := n.sendPending(ctx)
		if err == nil || ctx.Err() != nil {
			failing = false
			continue
		}
		if !failing {
			n.log.Warn("notifications to other nodes failed and will be repeated", "error", err)
		}
		failing = true
		sleep(ctx, notifyPause)
		n.poke()
	}
}

func (n *notifier) sendPending(ctx context.Context) error {
	m, any := n.take()
	if !any {
		return nil
	}
	err := n.send(ctx, m)
	if err != nil {
		n.putBack(m)
	}
	return err
}

// flush makes one last attempt.
func (n *notifier) flush() {
	ctx, cancel := context.WithTimeout(context.Background(), flushTimeout)
	defer cancel()
	if err := n.sendPending(ctx); err != nil {
		n.log.Warn("notifications to other nodes were lost; they will find the deliveries within a minute", "error", err)
	}
}

// close sends what is pending and ends the notifier.
func (n *notifier) close() {
	n.stop()
	<-n.done
}

// RequestSearch notifies the owners of endpoints that deliveries may not have been forwarded to them.
func (s *Store) RequestSearch(endpoints []string) {
	if len(endpoints) > 0 {
		s.notifier.requestSearch(endpoints)
	}
}

// Tell sends a message to other nodes.
func (s *Store) Tell(ctx context.Context, told []byte) error {
	return s.translate(s.sendNotifications(ctx, message{Told: told}))
}

// sendNotifications sends a message in a transaction of its own. Nothing needs to be flushed, so the lock that its
// COMMIT takes is held for microseconds.
func (s *Store) sendNotifications(ctx context.Context, m message) error {
	ctx, cancel := context.WithTimeout(ctx, s.options.Timeout)
	defer cancel()
	begin := append(s.begin(pgx.ReadWrite, pgx.ReadCommitted), "SET LOCAL synchronous_commit = off")
	return s.runOnce(ctx, s.pool, begin, func(tx *tx) error {
		batch := new(pgx.Batch)
		for _, payload := range s.encode(m) {
			batch.Queue(sqlNotify, payload)
		}
		return tx.sendLast(batch)
	})
}
