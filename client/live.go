package client

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"iter"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// LiveFilter selects the attempts of a live stream. A zero field selects all.
type LiveFilter struct {
	Endpoint string
	Type     string  // of the event: a name, or its beginning and *
	Dialect  string  // of the endpoint
	Outcome  Outcome // of the attempt, or OutcomeFailed
	Status   int     // of the response
}

// OutcomeFailed selects, in a LiveFilter, all outcomes but OutcomeOK.
const OutcomeFailed Outcome = "failed"

// LiveAttempt is an attempt that has just ended.
type LiveAttempt struct {
	ID         string    `json:"id"`
	Tenant     string    `json:"tenant"`
	Endpoint   string    `json:"endpoint"`
	Delivery   string    `json:"delivery"`
	Event      string    `json:"event"`
	EventType  string    `json:"event_type"`
	Dialect    string    `json:"dialect"` // of the endpoint
	Number     int       `json:"number"`
	Trigger    Trigger   `json:"trigger"`
	Outcome    Outcome   `json:"outcome"`
	Status     int       `json:"status"` // of the response; 0 if there was none
	DurationMS float64   `json:"duration_ms"`
	StartedAt  time.Time `json:"started_at"`
}

// LiveCounters are the numbers of one second.
type LiveCounters struct {
	Published *int `json:"published"` // events, of all tenants; nil in the stream of one tenant
	Attempts  int  `json:"attempts"`
	Succeeded int  `json:"succeeded"`
	Failed    int  `json:"failed"`
}

// LiveEvent is what a live stream tells: one of these.
type LiveEvent struct {
	Attempt  *LiveAttempt
	Counters *LiveCounters
	Skipped  *LiveSkipped
	Gap      bool  // attempts may be missing since the connection before
	Lost     error // the connection broke, for this reason; the stream goes on with another one

	Data json.RawMessage // what the server sent of it, also fields that this package does not know
}

// LiveSkipped counts attempts that were left out.
type LiveSkipped struct {
	Sampled int `json:"sampled"` // because there were more than 200 in a second
	Dropped int `json:"dropped"` // because they were not read in time
}

// How a live stream keeps its connection.
const (
	liveSilence = 45 * time.Second // without a byte, after which a connection is given up; the server writes every 15 s
	liveWait    = time.Second      // before the first attempt to connect again; it doubles with each
	liveMaxWait = 15 * time.Second
)

// Live follows the attempts of a tenant as they end, or of all tenants if tenant is empty. It ends with the context, without an
// error. When the connection breaks, it connects again and goes on after the last attempt that it got. It fails if the first
// connection does, if the server refuses it, or when the key's right to it ends.
//
//	for event, err := range c.Live(ctx, "acme", client.LiveFilter{Outcome: client.OutcomeFailed}) { … }
//
// Streams are for looking: an attempt can be missing, and deliveries have all of them.
func (c *Client) Live(ctx context.Context, tenant string, f LiveFilter) iter.Seq2[LiveEvent, error] {
	return func(yield func(LiveEvent, error) bool) {
		s := &liveStream{client: c, path: livePath(tenant, f), yield: yield}
		for wait := liveWait; ; wait = min(2*wait, liveMaxWait) {
			err := s.follow(ctx)
			switch {
			case s.left, ctx.Err() != nil:
				return
			case !s.begun || refused(err):
				yield(LiveEvent{}, err)
				return
			}
			if s.connected {
				wait = liveWait
			}
			if !yield(LiveEvent{Lost: err}, nil) {
				return
			}
			if e := (*Error)(nil); errors.As(err, &e) {
				wait = max(wait, e.RetryAfter)
			}
			select {
			case <-time.After(wait):
			case <-ctx.Done():
				return
			}
		}
	}
}

func livePath(tenant string, f LiveFilter) string {
	status := ""
	if f.Status != 0 {
		status = strconv.Itoa(f.Status)
	}
	at := path("live")
	if tenant != "" {
		at = inTenant(tenant, "live")
	}
	values := filter("endpoint", f.Endpoint, "type", f.Type, "dialect", f.Dialect, "outcome", string(f.Outcome), "status", status)
	if len(values) > 0 {
		at += "?" + values.Encode()
	}
	return at
}

// refused reports whether the server will answer the same again.
func refused(err error) bool {
	var e *Error
	return errors.As(err, &e) && e.Status/100 == 4 && e.Status != http.StatusTooManyRequests
}

// errStreamEnded is the reason for which a server's stream ends without one.
var errStreamEnded = errors.New("the server ended the stream")

// liveStream is a live stream over all its connections.
type liveStream struct {
	client    *Client
	path      string
	yield     func(LiveEvent, error) bool
	last      string // the id of the last attempt
	begun     bool   // a connection was made
	connected bool   // the last connection was made
	left      bool   // the caller has left the loop
}

// follow makes a connection and follows it to its end. The error says why it ended.
func (s *liveStream) follow(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	silence := time.AfterFunc(liveSilence, func() { cancel(errSilent) })
	defer silence.Stop()
	s.connected = false
	request, err := s.client.request(ctx, http.MethodGet, s.path, nil)
	if err != nil {
		return err
	}
	request.Header.Set("Accept", "text/event-stream")
	if s.last != "" {
		request.Header.Set("Last-Event-ID", s.last)
	}
	streaming := *s.client.http
	streaming.Timeout = 0 // a stream has no end
	response, err := streaming.Do(request)
	if err != nil {
		return because(ctx, notReached(s.client.server(), err))
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return readError(response)
	}
	s.begun, s.connected = true, true
	lines := bufio.NewScanner(response.Body)
	lines.Buffer(nil, maxProblem)
	var event serverEvent
	for lines.Scan() {
		silence.Reset(liveSilence)
		if !event.add(lines.Text()) {
			continue
		}
		if err := s.tell(&event); err != nil || s.left {
			return err
		}
		event = serverEvent{}
	}
	if err := lines.Err(); err != nil {
		return because(ctx, err)
	}
	return errStreamEnded
}

var errSilent = errors.New("the server was silent for " + liveSilence.String())

// because returns the reason for which a context ended, or err if it did not.
func because(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	return err
}

// serverEvent is a server-sent event.
type serverEvent struct{ name, id, data string }

// add adds a line, and reports whether the event is complete with it.
func (e *serverEvent) add(line string) bool {
	if line == "" {
		return e.data != ""
	}
	field, value, _ := strings.Cut(line, ":")
	value = strings.TrimPrefix(value, " ")
	switch field {
	case "event":
		e.name = value
	case "id":
		e.id = value
	case "data":
		e.data += value // the server writes each event's in one line
	}
	return false
}

// tell tells the caller of an event. Those that this version does not know are left out.
func (s *liveStream) tell(e *serverEvent) error {
	told := LiveEvent{Data: json.RawMessage(e.data)}
	var into any
	switch e.name {
	case "attempt":
		told.Attempt = new(LiveAttempt)
		into, s.last = told.Attempt, e.id
	case "counters":
		told.Counters = new(LiveCounters)
		into = told.Counters
	case "skipped":
		told.Skipped = new(LiveSkipped)
		into = told.Skipped
	case "gap":
		told.Gap = true
		into = new(struct{})
	case "end":
		return endOf(e.data)
	default:
		return nil
	}
	if err := json.Unmarshal([]byte(e.data), into); err != nil {
		return misread(http.MethodGet, s.path, err)
	}
	s.left = !s.yield(told, nil)
	return nil
}

// endOf returns the Error with which a server ends a stream.
func endOf(problem string) error {
	e := &Error{Status: http.StatusUnauthorized}
	e.fill([]byte(problem))
	return e
}
