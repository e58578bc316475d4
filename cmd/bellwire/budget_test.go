package main

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"net"
	"strings"
	"syscall"
	"testing"
)

// All parts together, requests twice, leave something for the database.
func TestBudgetFitsItsLimit(t *testing.T) {
	t.Parallel()
	for limit, want := range map[int]budget{
		512:         {512, 128, 128, 64},
		1024:        {1024, 256, 256, 128},
		16_384:      {16_384, 4096, 4096, 2048},
		65_536:      {65_536, 10_000, 4096, 2048},
		math.MaxInt: {math.MaxInt, 10_000, 4096, 2048},
	} {
		t.Run(fmt.Sprint(limit), func(t *testing.T) {
			got := newBudget(limit)
			if got != want {
				t.Errorf("%d descriptors: %+v, want %+v", limit, got, want)
			}
			if used := got.clients + 2*got.inFlight + got.idle; used > limit-limit/8 {
				t.Errorf("%d of %d descriptors are given away", used, limit)
			}
		})
	}
	if got := newBudget(1); got.clients < 1 || got.inFlight < 1 || got.idle < 1 {
		t.Errorf("%+v", got)
	}
}

func TestTooLowLimitsAreRefused(t *testing.T) {
	t.Parallel()
	if err := newBudget(leastDescriptors).check(); err != nil {
		t.Error(err)
	}
	if err := newBudget(leastDescriptors - 1).check(); err == nil || !strings.Contains(err.Error(), "is 63 and must be at least 64") {
		t.Error(err)
	}
}

func TestLowLimitsAreWarnedOf(t *testing.T) {
	t.Parallel()
	for limit, want := range map[int]string{16_383: "level=WARN", 16_384: "level=INFO", 1024: "LimitNOFILE=65536"} {
		var log bytes.Buffer
		newBudget(limit).log(slog.New(slog.NewTextHandler(&log, nil)))
		if !strings.Contains(log.String(), want) {
			t.Errorf("%d descriptors: %s", limit, &log)
		}
	}
}

type failing struct {
	net.Listener
	err error
}

func (f failing) Accept() (net.Conn, error) { return nil, f.err }

func TestFailuresToAcceptAreLogged(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	l := newReportingListener(failing{err: syscall.EMFILE}, slog.New(slog.NewTextHandler(&log, nil)))
	for range 100 {
		if _, err := l.Accept(); !errors.Is(err, syscall.EMFILE) {
			t.Fatal(err)
		}
	}
	if n := strings.Count(log.String(), "level=WARN"); n != 1 {
		t.Errorf("%d warnings:\n%s", n, &log)
	}
	log.Reset()
	l = newReportingListener(failing{err: net.ErrClosed}, slog.New(slog.NewTextHandler(&log, nil)))
	if _, err := l.Accept(); !errors.Is(err, net.ErrClosed) || log.Len() > 0 {
		t.Errorf("%v, %s", err, &log)
	}
}
