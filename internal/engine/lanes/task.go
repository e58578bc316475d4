package lanes

import "github.com/bellwire/bellwire/internal/bellwire"

// Task is a delivery in memory, with everything that its attempt needs. Its lane's scheduler owns it from Commit or EndClaims
// until its attempt starts, and again from Finish, Abort or RequeueUnsent.
type Task struct {
	Delivery bellwire.Delivery
	Content  *Content // nil: not needed any more
	Trigger  bellwire.Trigger

	lane     *lane
	unproven bool   // its endpoint was not known to answer when the attempt started
	ownBody  bool   // its attempt has a request body that no other attempt shares
	portion  uint32 // of attempts that it started in; see pace
}

func (task *Task) size() int { return len(task.Content.Data) }

// Manual reports whether the delivery is a test or a manual retry, which bypass the endpoint's queue.
func (task *Task) Manual() bool { return task.Trigger != bellwire.TriggerSchedule }

// Token identifies the claim on the delivery.
func (task *Task) Token() bellwire.ClaimToken {
	return bellwire.ClaimToken{Delivery: task.Delivery.ID, Epoch: task.Delivery.Epoch, Manual: task.Manual()}
}
