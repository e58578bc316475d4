package cli

import (
	"testing"
	"time"
)

func TestParseDuration(t *testing.T) {
	t.Parallel()
	const day = 24 * time.Hour
	for text, want := range map[string]time.Duration{
		"0": 0, "30s": 30 * time.Second, "30d": 30 * day, "1d12h": 36 * time.Hour, "0.5d": 12 * time.Hour, "-1d": -day, "365d": 365 * day,
	} {
		t.Run(text, func(t *testing.T) {
			if got, ok := ParseDuration(text); !ok || got != want {
				t.Errorf("%q is %v, %v; want %v", text, got, ok, want)
			}
		})
	}
	for _, text := range []string{"", "d", "30", "1h1d", "1d-1h", "1e9d", "106751d24h", "NaNd", "--1d", "1d1d", "+1d1"} {
		t.Run(text, func(t *testing.T) {
			if got, ok := ParseDuration(text); ok {
				t.Errorf("%q is %v", text, got)
			}
		})
	}
}

func TestByteSize(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]ByteSize{"1048576": 1 << 20, "1MiB": 1 << 20, "512 KiB": 512 << 10, "1MB": 1_000_000} {
		t.Run(text, func(t *testing.T) {
			var got ByteSize
			if err := got.UnmarshalText([]byte(text)); err != nil || got != want {
				t.Errorf("%q is %d (%v), want %d", text, got, err, want)
			}
		})
	}
	for _, text := range []string{"", "-1", "MiB", "1 mile", "99999999999999999999"} {
		t.Run(text, func(t *testing.T) {
			var got ByteSize
			if err := got.UnmarshalText([]byte(text)); err == nil {
				t.Errorf("%q is %d", text, got)
			}
		})
	}
}

func TestNearestKey(t *testing.T) {
	t.Parallel()
	names := []string{"retention", "database-url", "listen", "log-level", "log-format", "admin-key", "node"}
	for key, want := range map[string]string{
		"retenion": "retention", "database_url": "database-url", "BELLWIRE_DATABASE_URL": "database-url", "adminkey": "admin-key",
		"Listen": "listen", "loglevel": "log-level", "log": "", "port": "", "nodes": "node",
	} {
		t.Run(key, func(t *testing.T) {
			if got := nearest(key, names); got != want {
				t.Errorf("%s: did you mean %q, want %q", key, got, want)
			}
		})
	}
}
