package lease

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bellwire/bellwire/internal/bellwire"
)

var (
	thisProcess  = [16]byte{1}
	otherProcess = [16]byte{2}
)

// owned describes shards: so many, by whom, in which epoch.
type owned struct {
	count int
	Shard
}

func table(nodes map[string]NodeState, shards ...owned) *Table {
	t := &Table{Nodes: nodes}
	i := 0
	for _, o := range shards {
		for range o.count {
			t.Shards[i] = o.Shard
			i++
		}
	}
	return t
}

// ranges writes shards as text: 0-127.
func ranges(shards []int) string {
	var parts []string
	for i := 0; i < len(shards); {
		j := i
		for j+1 < len(shards) && shards[j+1] == shards[j]+1 {
			j++
		}
		parts = append(parts, fmt.Sprintf("%d-%d", shards[i], shards[j]))
		i = j + 1
	}
	return strings.Join(parts, " ")
}

func (p Plan) String() string {
	var keep []int
	for i, epoch := range p.Keep {
		if epoch != 0 {
			keep = append(keep, i)
		}
	}
	return fmt.Sprintf("joins %t, replaces %t, keep %s, surplus %s, take %s, give %s, forget %s", p.Joins, p.Replaces,
		ranges(keep), ranges(p.Surplus), ranges(p.Take), ranges(p.Give), strings.Join(p.Forget, " "))
}

func TestPlan(t *testing.T) {
	t.Parallel()
	me, alive := NodeState{Instance: thisProcess}, NodeState{Instance: otherProcess}
	dead, leaving := NodeState{Instance: otherProcess, Dead: true}, NodeState{Instance: otherProcess, Leaving: true}
	for _, c := range []struct {
		name  string
		table *Table
		knows int64 // the epoch in which the process knows the shards that are its own in the table
		want  string
	}{
		{
			"TheFirstNodeTakesAll",
			table(nil, owned{256, Shard{}}), 0,
			"joins true, replaces false, keep , surplus , take 0-255, give , forget ",
		},
		{
			"ASecondNodeWaits",
			table(map[string]NodeState{"b": alive}, owned{256, Shard{Owner: "b", Epoch: 1}}), 0,
			"joins true, replaces false, keep , surplus , take , give , forget ",
		},
		{
			"TheFirstOfTwoHasTooMany",
			table(map[string]NodeState{"a": me, "b": alive}, owned{256, Shard{Owner: "a", Epoch: 1}}), 1,
			"joins false, replaces false, keep 0-255, surplus 128-255, take , give , forget ",
		},
		{
			"GivenShardsAreTaken",
			table(map[string]NodeState{"a": me, "b": alive}, owned{128, Shard{Owner: "b", Epoch: 1}}, owned{128, Shard{Giver: "b", Epoch: 1}}), 0,
			"joins false, replaces false, keep , surplus , take 128-255, give , forget ",
		},
		{
			"MoreThanTheShareIsLeft",
			table(map[string]NodeState{"a": me, "b": alive, "c": alive}, owned{100, Shard{Owner: "b", Epoch: 1}}, owned{156, Shard{}}), 0,
			"joins false, replaces false, keep , surplus , take 100-184, give , forget ",
		},
		{
			"TheNodesThatHoldMostKeepOneMore",
			table(map[string]NodeState{"a": me, "b": alive, "c": alive}, owned{86, Shard{Owner: "a", Epoch: 1}}, owned{85, Shard{Owner: "b", Epoch: 1}}, owned{85, Shard{Owner: "c", Epoch: 1}}), 1,
			"joins false, replaces false, keep 0-85, surplus , take , give , forget ",
		},
		{
			"ShardsOfTheDeadAreFree",
			table(map[string]NodeState{"a": me, "b": dead}, owned{100, Shard{Owner: "a", Epoch: 3}}, owned{156, Shard{Owner: "b", Epoch: 1}}), 3,
			"joins false, replaces false, keep 0-99, surplus , take 100-255, give , forget b",
		},
		{
			"ShardsOfUnknownNodesAreFree",
			table(map[string]NodeState{"a": me}, owned{256, Shard{Owner: "b", Epoch: 1}}), 0,
			"joins false, replaces false, keep , surplus , take 0-255, give , forget ",
		},
		{
			"ANodeThatLeavesCountsForNobody",
			table(map[string]NodeState{"a": me, "b": leaving}, owned{128, Shard{Owner: "a", Epoch: 1}}, owned{28, Shard{Giver: "b", Epoch: 1}}, owned{100, Shard{Owner: "b", Epoch: 1}}), 1,
			"joins false, replaces false, keep 0-127, surplus , take 128-155, give , forget ",
		},
		{
			"ANodeThatLeavesHasAllTooMany",
			table(map[string]NodeState{"a": {Instance: thisProcess, Leaving: true}, "b": alive}, owned{100, Shard{Owner: "a", Epoch: 1}}, owned{156, Shard{}}), 1,
			"joins false, replaces false, keep 0-99, surplus 0-99, take , give , forget ",
		},
		{
			"ANewProcessTakesItsShardsInANewEpoch",
			table(map[string]NodeState{"a": {Instance: otherProcess, Leaving: true}, "b": alive}, owned{128, Shard{Owner: "a", Epoch: 1}}, owned{128, Shard{Owner: "b", Epoch: 1}}), 1,
			"joins true, replaces true, keep , surplus , take 0-127, give , forget ",
		},
		{
			"ANewProcessOfADeadOneIsNotForgotten",
			table(map[string]NodeState{"a": dead}, owned{256, Shard{Owner: "a", Epoch: 1}}), 0,
			"joins true, replaces true, keep , surplus , take 0-255, give , forget ",
		},
		{
			"AnEpochWhoseAnswerWasLostIsNotUsed",
			table(map[string]NodeState{"a": me}, owned{256, Shard{Owner: "a", Epoch: 2}}), 1,
			"joins false, replaces false, keep , surplus , take 0-255, give , forget ",
		},
		{
			"UnknownShardsBeyondTheShareAreGiven",
			table(map[string]NodeState{"a": me, "b": alive}, owned{256, Shard{Owner: "a", Epoch: 2}}), 1,
			"joins false, replaces false, keep , surplus , take 0-127, give 128-255, forget ",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			m := Node{Name: "a", Instance: thisProcess}
			for i, s := range c.table.Shards {
				if s.Owner == "a" {
					m.Held[i] = c.knows
				}
			}
			if diff := cmp.Diff(c.want, c.table.Plan(m).String()); diff != "" {
				t.Errorf("the plan (-want +got):\n%s", diff)
			}
		})
	}
}

func TestOrigin(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		shard Shard
		want  bellwire.Takeover
	}{
		{"Unowned", Shard{}, bellwire.Takeover{Why: bellwire.TakeoverUnowned}},
		{"Handed", Shard{Giver: "b"}, bellwire.Takeover{From: "b", Why: bellwire.TakeoverHanded}},
		{"Expired", Shard{Owner: "b"}, bellwire.Takeover{From: "b", Why: bellwire.TakeoverExpired}},
		{"Restarted", Shard{Owner: "a"}, bellwire.Takeover{From: "a", Why: bellwire.TakeoverRestarted}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			of := table(nil, owned{1, c.shard})
			if diff := cmp.Diff(c.want, of.Origin(0, "a")); diff != "" {
				t.Errorf("the origin (-want +got):\n%s", diff)
			}
		})
	}
}

func TestPeers(t *testing.T) {
	t.Parallel()
	const term = 6 * time.Second
	type look struct {
		at       time.Duration
		renewals int64
		dead     bool
	}
	for _, c := range []struct {
		name  string
		looks []look
	}{
		{"OneThatRenewsLives", []look{{0, 1, false}, {3 * time.Second, 2, false}, {6 * time.Second, 3, false}, {9 * time.Second, 4, false}}},
		{"OneThatStopsIsDeadAfterATerm", []look{
			{0, 1, false}, {2 * time.Second, 1, false}, {4 * time.Second, 1, false}, {6 * time.Second, 1, false}, {6*time.Second + 1, 1, true},
		}},
		{"ALateRenewalBeginsATermAnew", []look{
			{0, 1, false}, {3 * time.Second, 1, false}, {6 * time.Second, 2, false}, {8 * time.Second, 2, false}, {10 * time.Second, 2, false},
			{12 * time.Second, 2, false}, {13 * time.Second, 2, true},
		}},
		{"AGapBeginsATermAnew", []look{
			{0, 1, false}, {3*time.Second + 1, 1, false}, {6 * time.Second, 1, false}, {9 * time.Second, 1, false}, {10 * time.Second, 1, true},
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var p Peers
			start := time.Now()
			for _, l := range c.looks {
				if dead := p.Observe("b", l.renewals, start.Add(l.at), term); dead != l.dead {
					t.Errorf("after %v it is dead: %t, want %t", l.at, dead, l.dead)
				}
			}
		})
	}
	t.Run("OneThatWasForgottenBeginsAnew", func(t *testing.T) {
		t.Parallel()
		var p Peers
		start := time.Now()
		for i := range 4 {
			p.Observe("b", 1, start.Add(time.Duration(i)*2*time.Second), term)
		}
		p.Retain(&Table{Nodes: map[string]NodeState{"a": {}}})
		if p.Observe("b", 1, start.Add(7*time.Second), term) {
			t.Error("it is dead at once")
		}
	})
}

// TestAge: a node's age grows while its count stands still, and a count that was not observed yet is new.
func TestAge(t *testing.T) {
	t.Parallel()
	var p Peers
	start := time.Now()
	p.Observe("b", 1, start, 6*time.Second)
	p.Observe("b", 1, start.Add(time.Second), 6*time.Second)
	for _, test := range []struct {
		node     string
		renewals int64
		age      time.Duration
	}{{"b", 1, 2 * time.Second}, {"b", 2, 0}, {"other", 1, 0}} {
		if got := p.Age(test.node, test.renewals, start.Add(2*time.Second)); got != test.age {
			t.Errorf("%s with %d renewals has the age %s, want %s", test.node, test.renewals, got, test.age)
		}
	}
}
