package telemetry

import (
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"
)

// Every failure is counted. The log reports one in ten seconds, with the number of failures since the last report.
func TestAuthenticationFailed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m, o, logged := newObserved(t)
		for range 1000 {
			o.AuthenticationFailed("api", "invalid", "192.0.2.1")
		}
		time.Sleep(authenticationLogInterval)
		o.AuthenticationFailed("lemon", "missing", "192.0.2.2")
		if n := testutil.ToFloat64(m.authentication.WithLabelValues("api", "invalid")); n != 1000 {
			t.Errorf("%g were counted", n)
		}
		lines := strings.Split(strings.TrimSpace(logged.String()), "\n")
		if len(lines) != 2 || !strings.Contains(lines[0], `"from":"192.0.2.1","since_last":1}`) ||
			!strings.Contains(lines[1], `"front_end":"lemon","reason":"missing","from":"192.0.2.2","since_last":1000}`) {
			t.Errorf("logged:\n%s", logged)
		}
	})
}

// A duration has a unit in both forms of the log.
func TestDurationsHaveUnits(t *testing.T) {
	t.Parallel()
	for _, format := range []string{FormatText, FormatJSON} {
		var logged strings.Builder
		log := NewLogger(&logged, format, slog.LevelInfo)
		log.Info("a", "took", 1500*time.Millisecond, slog.Group("b", "took", 2*time.Second))
		if !strings.Contains(logged.String(), "1.5s") || !strings.Contains(logged.String(), "2s") {
			t.Errorf("%s: %s", format, &logged)
		}
	}
}
