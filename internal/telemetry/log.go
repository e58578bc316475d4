// Package telemetry makes what Bellwire does visible: structured logs and Prometheus metrics, fed
// through the root package's Observer.
package telemetry

import (
	"io"
	"log/slog"
)

// The forms of log records.
const (
	FormatText = "text"
	FormatJSON = "json"
)

// NewLogger returns a logger that writes records of at least the given level to w, in one of the
// forms above.
func NewLogger(w io.Writer, format string, level slog.Level) *slog.Logger {
	options := &slog.HandlerOptions{Level: level}
	if format == FormatJSON {
		return slog.New(slog.NewJSONHandler(w, options))
	}
	return slog.New(slog.NewTextHandler(w, options))
}
