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

// budget divides the file descriptors that the process may have open. A quarter is for clients of the API. Half is for
// requests to endpoints, each of which may take two for a moment: to ask for both kinds of address, to try both, or because a
// dial goes on after its request was given up. An eighth is for connections that are kept to endpoints, and the last eighth
// for the database and files.
type budget struct {
	descriptors int
	clients     int // connections of the API
	inFlight    int // requests to endpoints
	idle        int // connections kept to endpoints
}

// enoughDescriptors are those with which all requests and kept connections that the engine is made for find room.
const enoughDescriptors = max(4*engine.DefaultMaxInFlight, 8*engine.DefaultMaxIdle)

// leastDescriptors are those without which a server cannot answer while endpoints hang.
const leastDescriptors = 64

// check refuses a limit that is too low to serve with.
func (b budget) check() error {
	if b.descriptors >= leastDescriptors {
		return nil
	}
	return fmt.Errorf("the limit on open files must be at least %d, and is %d; raise it: ulimit -n 65536, or LimitNOFILE=65536 in the systemd unit",
		leastDescriptors, b.descriptors)
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

// log says what there is, and warns if it is little.
func (b budget) log(log *slog.Logger) {
	if b.descriptors == math.MaxInt {
		return
	}
	level, message := slog.LevelInfo, "open files"
	attributes := []slog.Attr{
		slog.Int("limit", b.descriptors), slog.Int("clients", b.clients),
		slog.Int("requests_in_flight", b.inFlight), slog.Int("kept_connections", b.idle),
	}
	if b.descriptors < enoughDescriptors {
		level, message = slog.LevelWarn, "the limit on open files is low: fewer requests are made at a time, and fewer clients served"
		attributes = append(attributes, slog.Int("enough", enoughDescriptors),
			slog.String("advice", "raise it: ulimit -n 65536, or LimitNOFILE=65536 in the systemd unit"))
	}
	log.LogAttrs(context.Background(), level, message, attributes...)
}

// acceptLogInterval is the least time between two log records of connections that cannot be accepted.
const acceptLogInterval = 10 * time.Second

// reportingListener logs why connections cannot be accepted, such as that no file descriptors are left. net/http goes on
// to try.
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
			l.log.Warn("connections of clients cannot be accepted", "error", err.Error(), "limit_on_open_files", descriptors())
		})
	}
	return conn, err
}

// newReportingListener wraps a listener.
func newReportingListener(l net.Listener, log *slog.Logger) *reportingListener {
	return &reportingListener{Listener: l, log: log, sometimes: rate.Sometimes{First: 1, Interval: acceptLogInterval}}
}
