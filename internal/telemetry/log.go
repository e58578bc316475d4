// Package telemetry provides structured logs and Prometheus metrics, which are fed through bellwire.Observer.
package telemetry

import (
	"io"
	"log/slog"
)

// The formats of log records.
const (
	FormatText = "text"
	FormatJSON = "json"
)

// NewLogger returns a logger that writes records of at least the given level to w, in one of the formats.
func NewLogger(w io.Writer, format string, level slog.Level) *slog.Logger {
	options := &slog.HandlerOptions{Level: level, ReplaceAttr: withUnit}
	if format == FormatJSON {
		return slog.New(slog.NewJSONHandler(w, options))
	}
	return slog.New(slog.NewTextHandler(w, options))
}

// withUnit writes durations as 1.5s in both formats. In JSON, slog would write a number without a unit.
func withUnit(_ []string, a slog.Attr) slog.Attr {
	if a.Value.Kind() == slog.KindDuration {
		a.Value = slog.StringValue(a.Value.Duration().String())
	}
	return a
}
