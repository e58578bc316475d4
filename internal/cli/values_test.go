package cli

import "testing"

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
