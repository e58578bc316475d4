package engine

import (
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"github.com/bellwire/bellwire"
)

func submissionOf(tenant string, events int) *submission {
	s := &submission{events: make([]bellwire.NewEvent, events)}
	for i := range s.events {
		s.events[i].Event.Tenant = tenant
	}
	return s
}

// TestIntakeServesTenantsAlike lets tenants wait with as many batches as they like, of any size: what each of them has
// had stored, in events, stays within a turn and a batch of the others, and nothing changes its place or is forgotten.
func TestIntakeServesTenantsAlike(t *testing.T) {
	t.Parallel()
	const largest = 200
	rapid.Check(t, func(t *rapid.T) {
		in := newIntake(nil)
		tenants := rapid.IntRange(2, 5).Draw(t, "tenants")
		waiting := make(map[string][]*submission)
		for n := range tenants {
			tenant := fmt.Sprint("tenant-", n)
			for range rapid.IntRange(1, 50).Draw(t, "batches") {
				s := submissionOf(tenant, rapid.IntRange(1, largest).Draw(t, "events"))
				if !in.push(s) {
					t.Fatal("refused")
				}
				waiting[tenant] = append(waiting[tenant], s)
			}
		}
		served := make(map[string]int)
		for s := in.pop(); s != nil; s = in.pop() {
			tenant := s.events[0].Event.Tenant
			if waiting[tenant][0] != s {
				t.Fatal("a submission was overtaken by a later one of its tenant")
			}
			served[tenant] += len(s.events)
			if waiting[tenant] = waiting[tenant][1:]; len(waiting[tenant]) == 0 {
				delete(waiting, tenant)
			}
			for other := range waiting {
				if served[tenant]-served[other] > largest+tenantTurn {
					t.Fatalf("%s has had %d events while %s waits with %d", tenant, served[tenant], other, served[other])
				}
			}
		}
		if len(waiting) > 0 || len(in.tenants) > 0 || in.all != (amount{}) {
			t.Fatalf("left behind: %v, %v, %v", waiting, in.tenants, in.all)
		}
	})
}
