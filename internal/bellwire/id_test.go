package bellwire_test

import (
	"bytes"
	"cmp"
	"encoding/json"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// moments draws times that ids are made at.
func moments() *rapid.Generator[time.Time] {
	return rapid.Custom(func(t *rapid.T) time.Time {
		return time.Unix(rapid.Int64Range(0, 1<<37).Draw(t, "s"), rapid.Int64Range(0, 999_999_999).Draw(t, "ns"))
	})
}

func TestIDIsAPrefixAndAUUIDv7(t *testing.T) {
	t.Parallel()
	now := time.UnixMilli(1777856581123)
	for _, tc := range []struct{ id, prefix string }{
		{bellwire.NewID[bellwire.EventKind](now).String(), "evt_"},
		{bellwire.NewID[bellwire.DeliveryKind](now).String(), "dlv_"},
		{bellwire.NewID[bellwire.AttemptKind](now).String(), "att_"},
		{bellwire.NewID[bellwire.KeyKind](now).String(), "key_"},
	} {
		t.Run(tc.id, func(t *testing.T) {
			digits, ok := strings.CutPrefix(tc.id, tc.prefix)
			if !ok || !regexp.MustCompile(`^[0-9a-f]{32}$`).MatchString(digits) {
				t.Fatalf("%q is not %s and 32 lower-case digits", tc.id, tc.prefix)
			}
			id, err := uuid.Parse(digits)
			if err != nil || id.Version() != 7 || id.Variant() != uuid.RFC4122 {
				t.Errorf("%q is no UUIDv7: version %d, variant %s, %v", tc.id, id.Version(), id.Variant(), err)
			}
			if ms := time.Unix(id.Time().UnixTime()).UnixMilli(); ms != now.UnixMilli() {
				t.Errorf("%q was made at %d, it says %d", tc.id, now.UnixMilli(), ms)
			}
		})
	}
	if id := uuid.UUID(bellwire.NewUUID(now)); id.Version() != 7 || id.Variant() != uuid.RFC4122 {
		t.Errorf("NewUUID makes %s", id)
	}
}

func TestIDParsesBackWithItsTime(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		now := moments().Draw(t, "now")
		id := bellwire.NewID[bellwire.EventKind](now)
		read, err := bellwire.ParseID[bellwire.EventKind](id.String())
		if err != nil || read != id {
			t.Fatalf("%s reads as %s, %v", id, read, err)
		}
		if !id.Time().Equal(now.Truncate(time.Millisecond)) {
			t.Fatalf("made at %s, it says %s", now, id.Time())
		}
		text, err := json.Marshal(map[string]bellwire.EventID{"id": id})
		if err != nil {
			t.Fatal(err)
		}
		var back map[string]bellwire.EventID
		if err := json.Unmarshal(text, &back); err != nil || back["id"] != id {
			t.Fatalf("%s reads as %v, %v", text, back, err)
		}
	})
}

func TestParseIDRefuses(t *testing.T) {
	t.Parallel()
	good := bellwire.NewID[bellwire.EventKind](time.Now()).String()
	for _, text := range []string{
		"", "evt_", good[4:], good[:35], good + "0", "dlv_" + good[4:], "EVT_" + good[4:], " " + good[:35],
		good[:35] + "g", good[:35] + "A", "evt_" + strings.ToUpper("abcdef") + good[10:], good[:35] + "\n",
	} {
		t.Run(text, func(t *testing.T) {
			id, err := bellwire.ParseID[bellwire.EventKind](text)
			if bellwire.CodeOf(err) != bellwire.CodeInvalid || !id.IsZero() {
				t.Errorf("ParseID(%q) = %s, %v", text, id, err)
			}
			var into bellwire.EventID
			if err := into.UnmarshalText([]byte(text)); bellwire.CodeOf(err) != bellwire.CodeInvalid || !into.IsZero() {
				t.Errorf("UnmarshalText(%q) = %s, %v", text, into, err)
			}
		})
	}
}

func TestIDsSortByTheirTime(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		earlier, later := moments().Draw(t, "a"), moments().Draw(t, "b")
		if later.Before(earlier) {
			earlier, later = later, earlier
		}
		if later.Sub(earlier) < time.Microsecond {
			later = earlier.Add(time.Microsecond)
		}
		a, b := bellwire.NewID[bellwire.EventKind](earlier), bellwire.NewID[bellwire.EventKind](later)
		if bytes.Compare(a[:], b[:]) >= 0 || a.String() >= b.String() {
			t.Fatalf("%s of %s is not before %s of %s", a, earlier, b, later)
		}
	})
}

func TestFirstIDIsTheBorder(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		border, other := moments().Draw(t, "border"), moments().Draw(t, "other")
		if rapid.Bool().Draw(t, "close") {
			other = border.Add(time.Duration(rapid.Int64Range(-2e6, 2e6).Draw(t, "off")))
		}
		first, id := bellwire.FirstID[bellwire.EventKind](border), bellwire.NewID[bellwire.EventKind](other)
		since := other.UnixMilli() >= border.UnixMilli()
		if other.UnixMilli() >= 0 && since != (bytes.Compare(id[:], first[:]) >= 0) {
			t.Fatalf("border %s at %s, %s at %s", first, border, id, other)
		}
	})
	if id := bellwire.FirstID[bellwire.EventKind](time.Time{}); !id.IsZero() {
		t.Errorf("the first id of a time long past is %s", id)
	}
}

func TestSequenceGrowsWhateverTheClockDoes(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var s bellwire.Sequence
		var last bellwire.EventID
		now := moments().Draw(t, "start")
		for range rapid.IntRange(2, 50).Draw(t, "n") {
			now = now.Add(time.Duration(rapid.Int64Range(-5e9, 5e9).Draw(t, "step"))) // also backwards, or not at all
			id := bellwire.Next[bellwire.EventKind](&s, now)
			if bytes.Compare(id[:], last[:]) <= 0 || id[6]>>4 != 7 || id[8]>>6 != 2 {
				t.Fatalf("%s follows %s", id, last)
			}
			last = id
		}
	})
}

func TestSequenceOfSeveralGoroutinesHasNoTwins(t *testing.T) {
	t.Parallel()
	var (
		s    bellwire.Sequence
		wg   sync.WaitGroup
		made [4][500]bellwire.DeliveryID
		now  = time.Now()
	)
	for worker := range made {
		wg.Go(func() {
			for i := range made[worker] {
				made[worker][i] = bellwire.Next[bellwire.DeliveryKind](&s, now)
			}
		})
	}
	wg.Wait()
	seen := map[[8]byte]bool{} // the ordered half
	for _, ids := range made {
		for i, id := range ids {
			if i > 0 && bytes.Compare(ids[i-1][:], id[:]) >= 0 {
				t.Fatalf("%s follows %s", id, ids[i-1])
			}
			if seen[[8]byte(id[:8])] {
				t.Fatalf("%s is not unique", id)
			}
			seen[[8]byte(id[:8])] = true
		}
	}
}

// FuzzParseID: an id has one spelling.
func FuzzParseID(f *testing.F) {
	for _, seed := range []string{"", "evt_", "evt_01890a5d", "evt_01890a5dac96774bbcceb302099a8057", "evt_01890A5DAC96774BBCCEB302099A8057", "dlv_01890a5dac96774bbcceb302099a8057"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		id, err := bellwire.ParseID[bellwire.EventKind](text)
		if err != nil && bellwire.CodeOf(err) != bellwire.CodeInvalid {
			t.Error(err)
		}
		if err == nil && id.String() != text {
			t.Errorf("%q is read as %q", text, id)
		}
	})
}

// TestDeliveryOf: an event's deliveries lie together, in the order of their numbers, and apart from other events'.
func TestDeliveriesOfAnEventAreAdjacent(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		id := bellwire.EventID(rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "id"))
		if id[0] == 0 || id[0] == 0xff {
			id[0] = 7
		}
		before, after := bellwire.Around(id)
		_, lower := bellwire.DeliveriesOf(before)
		upper, _ := bellwire.DeliveriesOf(after)
		first, last := bellwire.DeliveriesOf(id)
		for _, inside := range [][16]byte{id, first, last} {
			if bytes.Compare(before[:], inside[:]) >= 0 || bytes.Compare(inside[:], after[:]) >= 0 ||
				bytes.Compare(lower[:], inside[:]) >= 0 || bytes.Compare(inside[:], upper[:]) >= 0 {
				t.Errorf("%x is not between %x and %x", inside, before, after)
			}
		}
		if !bytes.Equal(before[14:], []byte{0xff, 0xff}) || !bytes.Equal(after[14:], []byte{0, 0}) || lower != bellwire.DeliveryID(before) || upper != bellwire.DeliveryID(after) {
			t.Errorf("%x and %x are not next to %x", before, after, id)
		}
	})
}

func TestDeliveryOf(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var events [2]bellwire.EventID
		copy(events[0][:], rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "an event"))
		copy(events[1][:], rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "another"))
		if bytes.Equal(events[0][:14], events[1][:14]) {
			return // no two events that NewID or Next makes are so near to each other
		}
		first, last := bellwire.DeliveriesOf(events[0])
		a, b := rapid.IntRange(0, bellwire.MaxDeliveries-1).Draw(t, "a"), rapid.IntRange(0, bellwire.MaxDeliveries-1).Draw(t, "b")
		x, y := bellwire.DeliveryOf(events[0], a), bellwire.DeliveryOf(events[0], b)
		if cmp.Compare(a, b) != bytes.Compare(x[:], y[:]) {
			t.Errorf("deliveries %d and %d have the ids %s and %s", a, b, x, y)
		}
		if bytes.Compare(first[:], x[:]) > 0 || bytes.Compare(x[:], last[:]) > 0 {
			t.Errorf("%s is not between %s and %s", x, first, last)
		}
		if z := bellwire.DeliveryOf(events[1], b); bytes.Compare(first[:], z[:]) <= 0 && bytes.Compare(z[:], last[:]) <= 0 {
			t.Errorf("another event's %s is between %s and %s", z, first, last)
		}
	})
}
