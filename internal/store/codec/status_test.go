package codec_test

import (
	"fmt"
	"testing"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/store/codec"
)

// Databases hold these numbers, and statements name them.
func TestStatusNumbersStay(t *testing.T) {
	t.Parallel()
	for number, status := range []bellwire.DeliveryStatus{"pending", "retrying", "succeeded", "exhausted", "canceled"} {
		t.Run(fmt.Sprint(status), func(t *testing.T) {
			if got, known := codec.StatusNumber[int64](status); !known || got != int64(number) {
				t.Errorf("%s has the number %d (known: %t), want %d", status, got, known, number)
			}
			if got := codec.Status(int64(number)); got != status {
				t.Errorf("%d is %s, want %s", number, got, status)
			}
		})
	}
	for _, status := range bellwire.DeliveryStatuses {
		if _, known := codec.StatusNumber[int16](status); !known {
			t.Errorf("%s has no number", status)
		}
	}
	if number, known := codec.StatusNumber[int64]("lost"); known {
		t.Errorf("an unknown status has the number %d", number)
	}
}
