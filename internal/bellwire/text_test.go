package bellwire_test

import (
	"fmt"
	"testing"

	"github.com/bellwire/bellwire/internal/bellwire"
)

func TestNumber(t *testing.T) {
	t.Parallel()
	for n, want := range map[float64]string{
		0: "0", 7: "7", 999: "999", 1000: "1,000", 65536: "65,536", 1e6: "1,000,000", 0.001: "0.001", 1234.5: "1,234.5",
		-1: "-1", -100: "-100", -12345: "-12,345",
	} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			if got := bellwire.Number(n); got != want {
				t.Errorf("Number(%v) is %q, want %q", n, got, want)
			}
		})
	}
}

func TestLists(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		values []string
		or     string
		and    string
	}{
		{nil, "", ""},
		{[]string{"none"}, `"none"`, `"none"`},
		{[]string{"none", "fifo"}, `"none" or "fifo"`, `"none" and "fifo"`},
		{[]string{"a", "b", "c"}, `"a", "b" or "c"`, `"a", "b" and "c"`},
	} {
		t.Run(c.or, func(t *testing.T) {
			if got := bellwire.OneOf(c.values); got != c.or {
				t.Errorf("OneOf(%q) is %s, want %s", c.values, got, c.or)
			}
			if got := bellwire.AllOf(c.values); got != c.and {
				t.Errorf("AllOf(%q) is %s, want %s", c.values, got, c.and)
			}
		})
	}
}
