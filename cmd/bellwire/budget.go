package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"net"
	"time"

	"golang.org/x/time/rate"

	"github.com/bellwire/bellwire/internal/engine"
	"github.com/bellwire/bellwire/internal/limits"
)

// budget divides the file descriptors that the process may open: a quarter for clients of the API, half for requests to
// endpoints, an eighth for idle connections to endpoints, and an eighth for the database and files. A request to an endpoint
// can briefly take two descriptors: to resolve or dial both kinds of address, or because a dial outlives its request.
type budget struct {
	descriptors int
	clients     int // connections of the API
	inFlight    int // requests to endpoints
	idle        int // idle connections to endpoints
}

// enoughDescriptors are enough for the engine's defaults.
const enoughDescriptors = max(4*engine.DefaultMaxInFlight, 8*engine.DefaultMaxIdle)

// leastDescriptors are the minimum for answering requests while endpoints hang.
const leastDescriptors = 64

// check refuses a limit that is too low to serve.
func (b budget) check() error {
	if b.descriptors >= leastDescriptors {
		return nil
	}
	return fmt.Errorf("limit on open files is %d and must be at least %d; raise it with ulimit -n 65536, or LimitNOFILE=65536 in the systemd unit",
		b.descriptors, leastDescriptors)
}

func thisBudget() budget { return newBudget(descriptors()) }

func newBudget(descriptors int) budget {
	part := func(most, divisor int) int { return min(most, max(descriptors/divisor, 1)) }
	return budget{
		descriptors: descriptors,
		clients:     part(limits.Connections, 4),
		inFlight:    part(engine.DefaultMaxInFlight, 4),
		idle:        part(engine.DefaultMaxIdle, 8),
	}
}

// log logs the budget, as a warning if it is small.
func (b budget) log(log *slog.Logger) {
	if b.descriptors == math.MaxInt {
		return
	}
	level, message := slog.LevelInfo, "open files divided"
	attributes := []slog.Attr{
		slog.Int("limit", b.descriptors), slog.Int("clients", b.clients),
		slog.Int("requests_in_flight", b.inFlight), slog.Int("kept_connections", b.idle),
	}
	if b.descriptors < enoughDescriptors {
		level, message = slog.LevelWarn, "low limit on open files: fewer concurrent requests and clients"
		attributes = append(attributes, slog.Int("enough", enoughDescriptors),
			slog.String("advice", "raise it with ulimit -n 65536, or LimitNOFILE=65536 in the systemd unit"))
	}
	log.LogAttrs(context.Background(), level, message, attributes...)
}

// acceptLogInterval is the minimum time between two log records about connections that cannot be accepted.
const acceptLogInterval = 10 * time.Second

// reportingListener logs why connections cannot be accepted, such as a lack of file descriptors. net/http retries.
type reportingListener struct {
	net.Listener
	log       *slog.Logger
	sometimes rate.Sometimes
}

// Accept waits for a connection.
func (l *reportingListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil && !errors.Is(err, net.ErrClosed) {
		l.sometimes.Do(func() {
			l.log.Warn("connection not accepted", "error", err.Error(), "limit_on_open_files", descriptors())
		})
	}
	return conn, err
}

// newReportingListener wraps a listener.
func newReportingListener(l net.Listener, log *slog.Logger) *reportingListener {
	return &reportingListener{Listener: l, log: log, sometimes: rate.Sometimes{First: 1, Interval: acceptLogInterval}}
}
