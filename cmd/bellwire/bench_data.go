package main

import (
	"bytes"
	"strconv"
	"time"
)

// Data is {"n":…,"t":…,"pad":"…"}: the event's number and when it was published, in nanoseconds since 1970. Both have
// a fixed width, so that the receiver reads them without parsing.
const (
	benchNumber  = 19 // digits
	minBenchData = len(`{"n":,"t":,"pad":""}`) + 2*benchNumber
	maxBenchData = 1 << 20
)

// firstBenchNumber makes every number as wide as JSON allows without leading zeros.
const firstBenchNumber = 1_000_000_000_000_000_000

func appendBenchData(b []byte, n int, at time.Time, pad []byte) []byte {
	b = strconv.AppendInt(append(b, `{"n":`...), int64(firstBenchNumber+n), 10)
	b = strconv.AppendInt(append(b, `,"t":`...), at.UnixNano(), 10)
	b = append(append(b, `,"pad":"`...), pad...)
	return append(b, `"}`...)
}

func appendBenchEvent(b []byte, n int, at time.Time, pad []byte) []byte {
	b = append(b, `{"type":"`+benchType+`","data":`...)
	return append(appendBenchData(b, n, at, pad), '}')
}

func appendBenchBatch(b []byte, first, end int, at time.Time, pad []byte) []byte {
	b = append(b, `{"events":[`...)
	for n := first; n < end; n++ {
		if n > first {
			b = append(b, ',')
		}
		b = appendBenchEvent(b, n, at, pad)
	}
	return append(b, "]}"...)
}

// readBenchData finds in a delivery's body what appendBenchData wrote; ok is false if it is anything else.
func readBenchData(body []byte) (n int, at int64, ok bool) {
	_, data, found := bytes.Cut(body, []byte(`,"data":{"n":`))
	if !found || len(data) < minBenchData-len(`{"n":`) || !bytes.HasPrefix(data[benchNumber:], []byte(`,"t":`)) {
		return 0, 0, false
	}
	number, ok1 := readBenchNumber(data)
	at, ok2 := readBenchNumber(data[benchNumber+len(`,"t":`):])
	return int(number - firstBenchNumber), at, ok1 && ok2
}

func readBenchNumber(digits []byte) (n int64, ok bool) {
	for _, digit := range digits[:benchNumber] {
		if digit < '0' || digit > '9' {
			return 0, false
		}
		n = 10*n + int64(digit-'0')
	}
	return n, true
}
