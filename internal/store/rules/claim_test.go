package rules_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/store/rules"
)

var start = time.Date(2026, 5, 4, 3, 2, 1, 0, time.UTC)

// delivery returns the id of the only delivery of the nth event.
func delivery(n int) bellwire.DeliveryID {
	id := bellwire.EventID{6: 0x70, 8: 0x80, 14: byte(n >> 8), 15: 0}
	id[5] = byte(n)
	return bellwire.DeliveryOf(id, 0)
}

// candidate returns a free delivery of the nth event, due so many seconds after the start.
func candidate(n, due, bytes int) rules.Candidate {
	return rules.Candidate{ID: delivery(n), Due: start.Add(time.Duration(due) * time.Second), Bytes: bytes}
}

func numbered(c rules.Candidate, sequence int64) rules.Candidate {
	c.Sequence = sequence
	return c
}

func ids(numbers ...int) []bellwire.DeliveryID {
	var ids []bellwire.DeliveryID
	for _, n := range numbers {
		ids = append(ids, delivery(n))
	}
	return ids
}

func TestChoose(t *testing.T) {
	t.Parallel()
	at := func(seconds int) time.Time { return start.Add(time.Duration(seconds) * time.Second) }
	plain := bellwire.Claim{Limit: 2, ManualLimit: 2, MaxBytes: 100}
	ordered := plain
	ordered.Ordered = true
	onlyManual := plain
	onlyManual.Limit = 0
	for _, tc := range []struct {
		name  string
		claim bellwire.Claim
		found rules.Candidates
		want  rules.Choice
	}{
		{"nothing", plain, rules.Candidates{LastSequence: 4}, rules.Choice{NextSequence: 5}},
		{"by due time", plain,
			rules.Candidates{ByTime: []rules.Candidate{candidate(1, 3, 1), candidate(2, 1, 1), candidate(3, 2, 1)}},
			rules.Choice{Due: ids(2, 3), Next: at(3), NextSequence: 1}},
		{"equal times by id", plain,
			rules.Candidates{ByTime: []rules.Candidate{candidate(3, 1, 1), candidate(1, 1, 1), candidate(2, 1, 1)}},
			rules.Choice{Due: ids(1, 2), Next: at(1), NextSequence: 1}},
		{"what is due now", plain,
			rules.Candidates{ByTime: []rules.Candidate{candidate(1, 10, 1), candidate(2, 11, 1)}},
			rules.Choice{Due: ids(1), Next: at(11), NextSequence: 1}},
		{"manual first, beyond the limit", plain,
			rules.Candidates{Manual: []rules.Candidate{candidate(9, 0, 1), candidate(8, 0, 1)}, ByTime: []rules.Candidate{candidate(1, 0, 1), candidate(2, 0, 1)}},
			rules.Choice{Manual: ids(8, 9), Due: ids(1, 2), NextSequence: 1}},
		{"manual up to its limit", plain,
			rules.Candidates{Manual: []rules.Candidate{candidate(1, 0, 1), candidate(2, 0, 1), candidate(3, 0, 1)}},
			rules.Choice{Manual: ids(1, 2), NextSequence: 1}},
		{"manual only", onlyManual,
			rules.Candidates{Manual: []rules.Candidate{candidate(1, 0, 1)}, ByTime: []rules.Candidate{candidate(2, 5, 1)}},
			rules.Choice{Manual: ids(1), Next: at(5), NextSequence: 1}},
		{"bytes", plain,
			rules.Candidates{ByTime: []rules.Candidate{candidate(1, 1, 100), candidate(2, 2, 1)}},
			rules.Choice{Due: ids(1), Next: at(2), NextSequence: 1}},
		{"one of each kind whatever the bytes", plain,
			rules.Candidates{Manual: []rules.Candidate{candidate(1, 0, 500), candidate(2, 0, 1)}, ByTime: []rules.Candidate{candidate(3, 1, 500), candidate(4, 2, 1)}},
			rules.Choice{Manual: ids(1), Due: ids(3), Next: at(2), NextSequence: 1}},
		{"in order, whatever the times", ordered,
			rules.Candidates{LastSequence: 9, InOrder: []rules.Candidate{numbered(candidate(1, 5, 1), 3), numbered(candidate(2, 9, 1), 2), numbered(candidate(3, 0, 1), 4)}},
			rules.Choice{Due: ids(2, 1), Next: at(0), NextSequence: 10}},
		{"one that is not due holds up the rest", ordered,
			rules.Candidates{LastSequence: 3, InOrder: []rules.Candidate{numbered(candidate(1, 20, 1), 2), numbered(candidate(2, 0, 1), 3)}},
			rules.Choice{Next: at(20), NextSequence: 4}},
		{"ordered ones are left to claims in order", plain,
			rules.Candidates{LastSequence: 1, InOrder: []rules.Candidate{numbered(candidate(1, 0, 1), 1)}},
			rules.Choice{NextSequence: 2}},
		{"both kinds share the limits", ordered,
			rules.Candidates{LastSequence: 2, ByTime: []rules.Candidate{candidate(1, 0, 1)}, InOrder: []rules.Candidate{numbered(candidate(2, 3, 1), 1), numbered(candidate(3, 4, 1), 2)}},
			rules.Choice{Due: ids(1, 2), Next: at(4), NextSequence: 3}},
		{"a number given since the last one was read", ordered,
			rules.Candidates{LastSequence: 2, InOrder: []rules.Candidate{numbered(candidate(1, 0, 1), 3)}},
			rules.Choice{Due: ids(1), NextSequence: 4}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			got := rules.NewChooser(at(10)).Choose(&tc.claim, &tc.found)
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestChooserIsFull(t *testing.T) {
	t.Parallel()
	claim := &bellwire.Claim{Limit: 10, MaxBytes: 10 << 20}
	c := rules.NewChooser(start)
	half := candidate(1, 0, bellwire.MaxClaimBytes/2)
	same := half
	same.ID = bellwire.DeliveryOf(bellwire.EventID(half.ID), 1) // another delivery of the same event
	c.Choose(claim, &rules.Candidates{ByTime: []rules.Candidate{half, same}})
	if c.Full() {
		t.Error("an event counts once for each of its deliveries")
	}
	c.Choose(claim, &rules.Candidates{ByTime: []rules.Candidate{candidate(2, 0, bellwire.MaxClaimBytes/2)}})
	if !c.Full() {
		t.Errorf("after %d bytes there is room for more", bellwire.MaxClaimBytes)
	}
}

// What a claim takes is in order and within its bounds, nothing is taken twice, and nothing is left that could be taken.
func TestChoiceProperties(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		next := 0
		draw := func(name string, most int, ordered bool) []rules.Candidate {
			list := make([]rules.Candidate, rapid.IntRange(0, most).Draw(t, name))
			for i := range list {
				next++
				list[i] = candidate(next, rapid.IntRange(-5, 5).Draw(t, fmt.Sprint(name, i, "due")), rapid.IntRange(0, 50).Draw(t, fmt.Sprint(name, i, "bytes")))
				if ordered {
					list[i].Sequence = int64(next)
				}
			}
			return rapid.Permutation(list).Draw(t, name+" permuted")
		}
		claim := &bellwire.Claim{
			Limit: rapid.IntRange(0, 5).Draw(t, "limit"), ManualLimit: rapid.IntRange(0, 5).Draw(t, "manual limit"),
			MaxBytes: rapid.IntRange(1, 150).Draw(t, "max bytes"), Ordered: rapid.Bool().Draw(t, "ordered"),
		}
		manual, byTime, inOrder := rules.Wanted(claim)
		found := rules.Candidates{
			Manual: draw("manual", manual, false), ByTime: draw("by time", 2*byTime, false), InOrder: draw("in order", inOrder, true),
		}
		of := make(map[bellwire.DeliveryID]rules.Candidate)
		for _, c := range slices.Concat(found.Manual, found.ByTime, found.InOrder) {
			of[c.ID] = c
		}
		got := rules.NewChooser(start).Choose(claim, &found)

		if len(got.Manual) > claim.ManualLimit || len(got.Due) > claim.Limit {
			t.Fatalf("%d manual ones and %d others were taken", len(got.Manual), len(got.Due))
		}
		var last rules.Candidate
		for i, id := range got.Due {
			c, ok := of[id]
			delete(of, id)
			switch {
			case !ok:
				t.Fatalf("%s is taken twice, or was not found", id)
			case c.Due.After(start):
				t.Fatalf("%s is not due", id)
			case i > 0 && c.Sequence == 0 && (last.Sequence > 0 || c.Due.Before(last.Due)):
				t.Fatalf("%s is out of its time", id)
			case i > 0 && c.Sequence > 0 && c.Sequence < last.Sequence:
				t.Fatalf("%s is out of its order", id)
			}
			last = c
		}
		bytes := 0
		for i, id := range slices.Concat(got.Manual, got.Due) {
			if first := i == 0 || i == len(got.Manual); !first && bytes >= claim.MaxBytes {
				t.Fatalf("%s is taken after %d bytes", id, bytes)
			}
			for _, c := range slices.Concat(found.Manual, found.ByTime, found.InOrder) {
				if c.ID == id {
					bytes += c.Bytes
				}
			}
			delete(of, id)
		}
		full := len(got.Due) == claim.Limit || len(got.Due) > 0 && bytes >= claim.MaxBytes
		var left time.Time
		for _, kind := range [][]rules.Candidate{found.ByTime, found.InOrder} {
			if len(kind) > 0 && kind[0].Sequence > 0 && !claim.Ordered {
				continue
			}
			for _, c := range kind { // sorted by Choose
				if _, ok := of[c.ID]; !ok {
					continue
				}
				if !full && !c.Due.After(start) {
					t.Fatalf("%s could have been taken", c.ID)
				}
				left = bellwire.Earlier(left, c.Due)
				break
			}
		}
		if !got.Next.Equal(left) {
			t.Fatalf("next is %s, but the first one left is due at %s", got.Next, left)
		}
	})
}
