package bench

import (
	"bytes"
	"strconv"
	"time"
)

// An event's data is {"n":…,"t":…,"pad":"…"}: its number and the time of its publish, in nanoseconds since 1970. Both have a
// fixed width, so that the receiver need not parse JSON.
const (
	numberDigits = 19
	minData      = len(`{"n":,"t":,"pad":""}`) + 2*numberDigits
	maxData      = 1 << 20
)

// firstNumber is added to every number, because JSON has no leading zeros.
const firstNumber = 1_000_000_000_000_000_000

func appendData(b []byte, n int, at time.Time, pad []byte) []byte {
	b = strconv.AppendInt(append(b, `{"n":`...), int64(firstNumber+n), 10)
	b = strconv.AppendInt(append(b, `,"t":`...), at.UnixNano(), 10)
	b = append(append(b, `,"pad":"`...), pad...)
	return append(b, `"}`...)
}

// appendEvent appends a publish, with one of so many ordering keys; 0: with none.
func appendEvent(b []byte, n, keys int, at time.Time, pad []byte) []byte {
	b = append(b, `{"type":"`+eventType+`","data":`...)
	b = appendData(b, n, at, pad)
	if keys > 0 {
		b = strconv.AppendInt(append(b, `,"ordering_key":"key-`...), int64(n%keys), 10)
		b = append(b, '"')
	}
	return append(b, '}')
}

func appendBatch(b []byte, first, end, keys int, at time.Time, pad []byte) []byte {
	b = append(b, `{"events":[`...)
	for n := first; n < end; n++ {
		if n > first {
			b = append(b, ',')
		}
		b = appendEvent(b, n, keys, at, pad)
	}
	return append(b, "]}"...)
}

// readData reads the data that appendData wrote from a delivery's body, and reports whether it is valid.
func readData(body []byte) (n int, at int64, ok bool) {
	_, data, found := bytes.Cut(body, []byte(`,"data":{"n":`))
	if !found || len(data) < minData-len(`{"n":`) || !bytes.HasPrefix(data[numberDigits:], []byte(`,"t":`)) {
		return 0, 0, false
	}
	number, ok1 := readNumber(data)
	at, ok2 := readNumber(data[numberDigits+len(`,"t":`):])
	return int(number - firstNumber), at, ok1 && ok2
}

func readNumber(digits []byte) (n int64, ok bool) {
	for _, digit := range digits[:numberDigits] {
		if digit < '0' || digit > '9' {
			return 0, false
		}
		n = 10*n + int64(digit-'0')
	}
	return n, true
}
