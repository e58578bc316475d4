package bellwire_test

import (
	"errors"
	"testing"

	"github.com/bellwire/bellwire/internal/bellwire"
)

func TestJoin(t *testing.T) {
	t.Parallel()
	url := bellwire.Invalid("url", "is required")
	events := bellwire.Invalid("events", "must not be empty")
	plain := errors.New("broken")
	for name, c := range map[string]struct {
		errs   []error
		want   error
		faults int
	}{
		"none":           {[]error{nil, nil}, nil, 0},
		"one":            {[]error{nil, url}, url, 0},
		"plain":          {[]error{url, plain}, plain, 0},
		"another code":   {[]error{url, bellwire.NotFound("tenant", "acme")}, bellwire.NotFound("tenant", "acme"), 0},
		"two":            {[]error{url, events}, url, 2},
		"two and joined": {[]error{bellwire.Join(url, events), events}, url, 3},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := bellwire.Join(c.errs...)
			if c.want == nil {
				if got != nil {
					t.Errorf("got %v", got)
				}
				return
			}
			if got.Error() != c.want.Error() {
				t.Errorf("got %v, want %v", got, c.want)
			}
			if e, ok := errors.AsType[*bellwire.Error](got); ok && len(e.Faults) != c.faults {
				t.Errorf("got %d faults, want %d", len(e.Faults), c.faults)
			}
		})
	}
}

func TestErrorText(t *testing.T) {
	t.Parallel()
	err := bellwire.Invalid("url", "must be an absolute http or https URL, such as %s", "https://example.com/hooks")
	if got, want := err.Error(), "url must be an absolute http or https URL, such as https://example.com/hooks"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	joined, _ := errors.AsType[*bellwire.Error](bellwire.Join(bellwire.Invalid("a", "is required"), bellwire.Invalid("b", "is given twice")))
	if got, want := joined.Summary(), "a is required; b is given twice"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got, want := err.Summary(), err.Text(); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	wrapped := bellwire.Wrap(bellwire.CodeUnavailable, errors.New("connection refused"), "the database cannot be reached")
	if got, want := wrapped.Error(), "the database cannot be reached: connection refused"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
