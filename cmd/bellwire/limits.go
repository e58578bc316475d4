package main

import (
	"strconv"
	"strings"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/cli"
	"github.com/bellwire/bellwire/internal/limits"
)

// limitValue is a limit with a value, given as NAME=VALUE.
type limitValue struct {
	limit *limits.Limit
	value float64
}

// UnmarshalText reads endpoints=5000, configuration_bytes=8MiB or min_retry_delay=500ms.
func (v *limitValue) UnmarshalText(text []byte) error {
	name, value, found := strings.Cut(string(text), "=")
	if !found {
		return cli.Usagef("%q must be NAME=VALUE, such as endpoints=5000, without commas in numbers", text)
	}
	name, value = strings.TrimSpace(name), strings.TrimSpace(value)
	l := limits.Find(name)
	if l == nil {
		return cli.Usagef("limit %q does not exist; known limits are %s", name, strings.Join(limits.Names(false), ", "))
	}
	n, ok := parseLimit(l, value)
	if !ok || !l.Allows(n) {
		return cli.Usagef("%s must be %s, not %q", name, l.Range(), value)
	}
	*v = limitValue{l, n}
	return nil
}

// wire returns the value as the API takes it: a number, or text for a delay.
func (v *limitValue) wire() any {
	if v.limit.Kind == limits.Delay {
		return time.Duration(v.value * float64(time.Second)).String()
	}
	return v.value
}

// parseLimit reads a value of a limit without checking its range.
func parseLimit(l *limits.Limit, text string) (float64, bool) {
	switch l.Kind {
	case limits.Delay:
		d, ok := bellwire.ParseDuration(text)
		return limits.OfSeconds(bellwire.Duration(d)), ok
	case limits.Bytes:
		var size cli.ByteSize
		err := size.UnmarshalText([]byte(text))
		return float64(size), err == nil
	}
	n, err := strconv.ParseFloat(text, 64)
	return n, err == nil
}

// checkLimits refuses two values for one limit, and one that has an option of its own.
func (s *settings) checkLimits() error {
	seen := make(map[*limits.Limit]bool)
	for _, v := range s.Limits {
		if v.limit.Option != "" {
			return cli.Option("limit", "%s must be set with --%s, which is the value for all tenants", v.limit.Name, v.limit.Option)
		}
		if seen[v.limit] {
			return cli.Option("limit", "%s must be given once", v.limit.Name)
		}
		seen[v.limit] = true
	}
	return nil
}

// limits returns the limits of tenants that have no values of their own.
func (s *settings) limits() *bellwire.Limits {
	given := make(map[string]float64, len(s.Limits)+1)
	given[limits.EventRetention.Name] = s.Retention.Seconds()
	for _, v := range s.Limits {
		given[v.limit.Name] = v.value
	}
	return limits.With(limits.Default(), given)
}
