package rules_test

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/bellwire/bellwire/internal/store/rules"
)

// Each recipient gets each event once, in order.
func TestFanOutItem(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		events := rapid.Int64Range(1, 200).Draw(t, "events")
		recipients := rapid.Int64Range(1, 50).Draw(t, "recipients")
		next := make([]int64, recipients)
		for place := range events * recipients {
			event, recipient := rules.FanOutItem(place, events, recipients)
			if recipient < 0 || recipient >= recipients || event != next[recipient] {
				t.Fatalf("place %d is event %d for recipient %d, who has got %d", place, event, recipient, next)
			}
			next[recipient]++
		}
	})
}
