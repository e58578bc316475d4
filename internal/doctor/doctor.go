// Package doctor examines a server's configuration, machine, keyset and database, and says what to do about each fault. It changes
// nothing, and may run beside the server or inside it.
package doctor

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/dustin/go-humanize"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/destination"
)

// Subject is what is examined.
type Subject struct {
	Configuration Configuration
	Database      Database
	Keyset        Keyset
	Network       Network

	Descriptors       int // files that the process may open
	LeastDescriptors  int // below it the server does not start
	EnoughDescriptors int // below it the server does less at the same time

	Limits Limits                   // zero values: the defaults
	Getenv func(name string) string // of the environment
	Now    func() time.Time         // the wall clock
}

// Configuration has what was configured, and what is noteworthy about it.
type Configuration struct {
	Listen             string
	PublicURL          string
	File               string   // its path; empty: there is none
	FileHasSecrets     bool     // the file gives secrets
	SecretsInArguments []string // options on the command line that contain secrets
	UnknownVariables   []string // of the environment, whose names begin like those of options
	AllowsEverything   bool     // deliveries may reach all addresses
	Dialects           error    // about the files that declare dialects
}

// Database names the database. One of the two is set.
type Database struct {
	SQLite   string // the path of the file
	Postgres string // the URL, which may contain a password
	Direct   string // the URL without a pooler; empty: there is none

	Connections int // that this node may have to PostgreSQL
}

// Keyset says where the keyset is.
type Keyset struct {
	Text string // the keyset itself; empty: it is in a file
	File string
}

// Network has what this machine must reach.
type Network struct {
	Services  []Service          // that the configuration names
	Receivers []string           // URLs of receivers of deliveries
	Guard     *destination.Guard // of receivers
}

// Service is a server that Bellwire depends on.
type Service struct {
	Name    string // such as "the mail server"
	Address string // host and port
	TLS     bool   // from the start
}

// Limits are the bounds beyond which something is a fault.
type Limits struct {
	FreeBytes      uint64        // of a file system; less is a problem
	FreeShare      float64       // of a file system; less is a warning
	FreePages      float64       // share of an SQLite file; more is a note
	LogBytes       int64         // of the write-ahead log; more is a warning
	DeadRows       int64         // of a table; more, and more than half of its live rows, is a warning
	Transaction    time.Duration // its age; more is a warning
	XIDAge         int64         // more is a warning
	ClockWarning   time.Duration
	ClockProblem   time.Duration
	SlowResolution time.Duration
	BackupAge      time.Duration // of the last one; more is a warning
}

var defaults = Limits{
	FreeBytes: 256 << 20, FreeShare: 0.1, FreePages: 0.5, LogBytes: 4 << 30, DeadRows: 1_000_000, Transaction: time.Hour,
	XIDAge: 1_000_000_000, ClockWarning: 2 * time.Second, ClockProblem: time.Minute, SlowResolution: time.Second, BackupAge: 48 * time.Hour,
}

// Timeout bounds an examination.
const Timeout = 8 * time.Second

// check returns what it has found. Its id is that of the finding.
type check struct {
	id      string
	examine func(context.Context) result
}

// result is a finding without its id. The zero value says that nothing was examined, because another check has found why not.
type result struct {
	level     bellwire.FindingLevel
	found, do string
}

func ok(format string, args ...any) result {
	return result{bellwire.FindingOK, fmt.Sprintf(format, args...), ""}
}

func note(found, do string) result    { return result{bellwire.FindingNote, found, do} }
func warning(found, do string) result { return result{bellwire.FindingWarning, found, do} }
func problem(found, do string) result { return result{bellwire.FindingProblem, found, do} }

// Examine runs all checks at the same time, and returns what they found, the worst first.
func Examine(ctx context.Context, s *Subject) []bellwire.Finding {
	ctx, cancel := context.WithTimeout(ctx, Timeout)
	defer cancel()
	with := *s
	with.Limits.fill()
	checks := with.checks()
	findings := make([]bellwire.Finding, len(checks))
	var running sync.WaitGroup
	for i, c := range checks {
		running.Go(func() {
			r := c.examine(ctx)
			findings[i] = bellwire.Finding{ID: c.id, Level: r.level, Found: r.found, Do: r.do}
		})
	}
	running.Wait()
	findings = slices.DeleteFunc(findings, func(f bellwire.Finding) bool { return f.Level == "" })
	slices.SortStableFunc(findings, func(a, b bellwire.Finding) int {
		return cmp.Compare(slices.Index(bellwire.FindingLevels, a.Level), slices.Index(bellwire.FindingLevels, b.Level))
	})
	return findings
}

// checks returns the checks that apply.
func (s *Subject) checks() []check {
	all := slices.Concat(s.configurationChecks(), s.machineChecks(), s.networkChecks())
	if s.Database.Postgres != "" {
		return append(all, s.postgresChecks()...)
	}
	return append(all, s.sqliteChecks()...)
}

func (l *Limits) fill() {
	l.FreeBytes, l.FreeShare = cmp.Or(l.FreeBytes, defaults.FreeBytes), cmp.Or(l.FreeShare, defaults.FreeShare)
	l.FreePages, l.LogBytes = cmp.Or(l.FreePages, defaults.FreePages), cmp.Or(l.LogBytes, defaults.LogBytes)
	l.DeadRows, l.Transaction = cmp.Or(l.DeadRows, defaults.DeadRows), cmp.Or(l.Transaction, defaults.Transaction)
	l.BackupAge = cmp.Or(l.BackupAge, defaults.BackupAge)
	l.XIDAge, l.SlowResolution = cmp.Or(l.XIDAge, defaults.XIDAge), cmp.Or(l.SlowResolution, defaults.SlowResolution)
	l.ClockWarning, l.ClockProblem = cmp.Or(l.ClockWarning, defaults.ClockWarning), cmp.Or(l.ClockProblem, defaults.ClockProblem)
}

// reading reads the facts of a database once, however many checks ask for them.
type reading[F any] struct {
	read  func(context.Context) (*F, error)
	once  sync.Once
	facts *F
	err   error
}

func (r *reading[F]) get(ctx context.Context) (*F, error) {
	r.once.Do(func() { r.facts, r.err = r.read(ctx) })
	return r.facts, r.err
}

// judged returns a check that judges the facts. It finds nothing if they cannot be read: database.reachable says why.
func (r *reading[F]) judged(judge func(*F) result) func(context.Context) result {
	return func(ctx context.Context) result {
		f, err := r.get(ctx)
		if err != nil {
			return result{}
		}
		return judge(f)
	}
}

// size writes a number of bytes for people.
func size[N int64 | uint64](n N) string { return humanize.IBytes(uint64(n)) }

// list joins words as in a sentence.
func list(words []string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:len(words)-1], ", ") + " and " + words[len(words)-1]
}

// reason returns the text of an error for a sentence, without a full stop.
func reason(err error) string { return strings.TrimSuffix(err.Error(), ".") }
