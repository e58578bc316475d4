package httpx

import (
	"context"
	"log/slog"

	"golang.org/x/time/rate"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// RefusalLog logs refused requests, with the causes that clients are not told.
type RefusalLog struct {
	log    *slog.Logger
	outage *rate.Limiter
}

// NewRefusalLog returns a RefusalLog that writes to log.
func NewRefusalLog(log *slog.Logger) *RefusalLog {
	return &RefusalLog{log: log, outage: rate.NewLimiter(1, 10)}
}

// Add logs the refusal of the request with the given id: faults of the server as errors or warnings, and all others at level
// debug. While the database is unavailable or full, every request fails, so it logs only some of these.
func (l *RefusalLog) Add(ctx context.Context, requestID string, err *bellwire.Error) {
	level, limited := slog.LevelDebug, false
	switch err.Code {
	case bellwire.CodeInternal:
		level = slog.LevelError
	case bellwire.CodeNoSpace:
		level, limited = slog.LevelError, true
	case bellwire.CodeUnavailable:
		level, limited = slog.LevelWarn, true
	}
	if !l.log.Enabled(ctx, level) || limited && !l.outage.Allow() {
		return
	}
	l.log.LogAttrs(ctx, level, "request refused",
		slog.String("id", requestID), slog.String("code", string(err.Code)), slog.String("error", err.Error()))
}
