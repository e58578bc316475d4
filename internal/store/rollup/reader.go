package rollup

import (
	"encoding/binary"
	"math"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// reader reads what was encoded. After the first fault it is broken, and all that it returns is zero.
type reader struct {
	data   []byte
	broken bool
}

func (r *reader) number() uint64 {
	n, size := binary.Uvarint(r.data)
	if r.broken || size <= 0 {
		r.broken, r.data = true, nil
		return 0
	}
	r.data = r.data[size:]
	return n
}

// count returns a number that is not negative as an int.
func (r *reader) count() int {
	n := r.number()
	if n > math.MaxInt32 {
		r.broken, r.data = true, nil
		return 0
	}
	return int(n)
}

// items returns how many items follow, each of at least the given number of bytes. A number that cannot be true is a fault, so
// that nobody loops over items that are not there.
func (r *reader) items(least int) int {
	n := r.count()
	if n > len(r.data)/least {
		r.broken, r.data = true, nil
		return 0
	}
	return n
}

func (r *reader) octet() int {
	if len(r.data) == 0 {
		r.broken = true
		return 0
	}
	b := r.data[0]
	r.data = r.data[1:]
	return int(b)
}

func (r *reader) text() string {
	size := r.count()
	if size > len(r.data) {
		r.broken, r.data = true, nil
		return ""
	}
	text := string(r.data[:size])
	r.data = r.data[size:]
	return text
}

// err returns the error of data that cannot be read, or that goes on after its end.
func (r *reader) err() error {
	if r.broken || len(r.data) > 0 {
		return bellwire.Errorf(bellwire.CodeInternal, "stored statistics cannot be read")
	}
	return nil
}

func appendText(to []byte, text string) []byte {
	return append(binary.AppendUvarint(to, uint64(len(text))), text...)
}

// outcomes have the numbers under which they are stored. They never change.
var outcomes = [...]bellwire.Outcome{
	bellwire.OutcomeOK, bellwire.OutcomeStatus, bellwire.OutcomeBlocked, bellwire.OutcomeDNS, bellwire.OutcomeConnect,
	bellwire.OutcomeTLS, bellwire.OutcomeTimeout, bellwire.OutcomeReset, bellwire.OutcomeProtocol,
}

// outcomeNumber returns the number of an outcome.
func outcomeNumber(o bellwire.Outcome) int {
	for n, known := range outcomes {
		if known == o {
			return n
		}
	}
	return len(outcomes) - 1
}

// outcome reads the number of an outcome.
func (r *reader) outcome() int {
	n := r.count()
	if n >= len(outcomes) {
		r.broken, r.data = true, nil
		return 0
	}
	return n
}
