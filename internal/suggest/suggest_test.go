package suggest_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/bellwire/bellwire/internal/suggest"
)

func TestNearest(t *testing.T) {
	t.Parallel()
	known := []string{"order.shipped", "order.created", "invoice.paid", "url", "rate_limit"}
	for name, want := range map[string]string{
		"order.shiped":           "order.shipped",
		"Order.Shipped":          "order.shipped",
		"order.create":           "order.created",
		"rateLimit":              "rate_limit",
		"ulr":                    "",
		"uri":                    "url",
		"payload":                "",
		"":                       "",
		"\xff\xfe":               "",
		strings.Repeat("a", 200): "",
	} {
		t.Run(fmt.Sprintf("%.60s", name), func(t *testing.T) {
			if got := suggest.Nearest(name, known); got != want {
				t.Errorf("Nearest(%q) is %q, want %q", name, got, want)
			}
		})
	}
	if got := suggest.Nearest("anything", nil); got != "" {
		t.Errorf("of nothing: %q", got)
	}
}

func TestDidYouMean(t *testing.T) {
	t.Parallel()
	if got, want := suggest.DidYouMean("order.shiped", []string{"order.shipped"}), ` (did you mean "order.shipped"?)`; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := suggest.DidYouMean("payload", []string{"url"}); got != "" {
		t.Errorf("got %q", got)
	}
}
