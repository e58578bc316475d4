package bellwire

// Finding is what an examination of a server, its machine or its database has found.
type Finding struct {
	ID    string // such as "keyset.mode"; it stays the same in later versions
	Level FindingLevel
	Found string // a sentence without secrets
	Do    string // a sentence; empty if nothing has to be done
}

// FindingLevel says how bad a finding is.
type FindingLevel string

// The levels, from the best to the worst.
const (
	FindingOK      FindingLevel = "ok"
	FindingNote    FindingLevel = "note"    // something to know
	FindingWarning FindingLevel = "warning" // something works less well, or will fail later
	FindingProblem FindingLevel = "problem" // something fails now, or can lose data
)

// FindingLevels are all levels, the worst first.
var FindingLevels = []FindingLevel{FindingProblem, FindingWarning, FindingNote, FindingOK}
