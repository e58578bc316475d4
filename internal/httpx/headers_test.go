package httpx

import (
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"

	"pgregory.net/rapid"

	"github.com/bellwire/bellwire/internal/limits"
	"github.com/bellwire/bellwire/internal/testenv"
)

// crowded is a header that takes about as much memory as one can, without its end.
var crowded = strings.Repeat("X: "+strings.Repeat("x", 120)+"\r\n", maxLines-10)

// crowdedBytes is the counted size of one such header.
var crowdedBytes = len("GET / HTTP/1.1\r\nHost: x\r\n"+crowded) + lineBytes*(maxLines-8) - limits.UncountedHeaderBytes

// Headers that do not end have bounded memory. Who began first makes room, and others are served.
func TestHeadersThatDoNotEnd(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newTestServer(t, 2000)
		var strangers []*testClient
		for range limits.HeaderBytes/crowdedBytes + 20 {
			strangers = append(strangers, s.connect().ask("GET", "/", "", crowded))
		}
		if status := s.connect().ask("GET", "/", "acme", crowded+"\r\n").answered(); status != 200 {
			t.Errorf("one whose header ends: %d", status)
		}
		for i, v := range []*testClient{strangers[0], strangers[19]} {
			if !v.closed() {
				t.Errorf("%d of those who began first did not make room", i)
			}
		}
		if strangers[len(strangers)-1].closed() {
			t.Error("the last one made room")
		}
	})
}

// The memory of a confirmed caller's headers counts toward its share as that of its bodies does: with many requests at
// once, it gets at most half of all memory. Bodies have most of that half here, so that fewer headers are enough.
func TestHeadersAreShared(t *testing.T) {
	t.Parallel()
	testenv.Long(t)
	synctest.Test(t, func(t *testing.T) {
		s := newTestServer(t, 8000)
		cs := s.server.connections
		const inBodies = limits.RequestBytes / 2 * 7 / 8
		if !cs.bodies.Take("greedy", inBodies) {
			t.Fatal("one owner's bodies may not take less than half of all memory")
		}
		var held []*testClient
		for range 4000 {
			v := s.connect().ask("GET", "/wait", "greedy", crowded+"\r\n")
			if v.closed() || v.read.Buffered() > 0 {
				if status := v.answered(); status != 429 {
					t.Error(status)
				}
				break
			}
			held = append(held, v)
		}
		if most := (limits.RequestBytes/2 - inBodies) / (crowdedBytes - limits.UncountedBytes); len(held) < most*95/100 || len(held) > most {
			t.Errorf("one owner has %d large headers, of about %d", len(held), most)
		}
		held = append(held, s.connect().ask("GET", "/wait", "other", crowded+"\r\n"))
		for _, v := range held {
			<-s.inside
			s.release <- struct{}{}
			if status := v.answered(); status != 200 {
				t.Error(status)
			}
		}
		cs.bodies.Give("greedy", inBodies)
		if free := cs.bodies.Free(); free != limits.RequestBytes || cs.headers.bytes != 0 || cs.headers.holding.Len() != 0 {
			t.Errorf("in the end %d bytes are free, and %d are held by %d headers", free, cs.headers.bytes, cs.headers.holding.Len())
		}
	})
}

// A header with very many lines is refused before it has come to its end. Lines of a body are none.
func TestHeadersOfManyLines(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newTestServer(t, 10)
		v := s.connect().ask("GET", "/", "acme", strings.Repeat("x:\n", maxLines))
		if status := v.answered(); status != http.StatusRequestHeaderFieldsTooLarge || !v.closed() {
			t.Errorf("%d lines: %d", maxLines, status)
		}
		v = s.connect()
		for range 2 { // the second counts for itself
			v.ask("POST", "/", "acme", strings.Repeat("x:\r\n", maxLines-20)+"Content-Length: 300\r\n\r\n"+strings.Repeat("\n", 300))
			if status := v.answered(); status != 200 {
				t.Errorf("a body of many lines: %d", status)
			}
			<-s.failed
		}
	})
}

// Whatever comes, and whoever goes, the books of headers agree with the connections.
func TestHeadersAreCounted(t *testing.T) {
	t.Parallel()
	large := []byte(strings.Repeat("x", limits.HeaderBytes/4))
	lines := []byte(strings.Repeat("x\n", maxLines))
	rapid.Check(t, func(t *rapid.T) {
		cs := newConnections(rapid.IntRange(1, 20).Draw(t, "most"))
		var all []*connection
		for range rapid.IntRange(1, 100).Draw(t, "steps") {
			if len(all) == 0 || rapid.Bool().Draw(t, "another") {
				ours, theirs := net.Pipe()
				theirs.Close()
				c := &connection{Conn: ours, all: cs}
				cs.changed(c, http.StateNew)
				all = append(all, c)
			}
			c := rapid.SampledFrom(all).Draw(t, "which")
			switch rapid.IntRange(0, 6).Draw(t, "what") {
			case 0, 1:
				cs.arrived(c, large[:rapid.IntRange(0, len(large)).Draw(t, "bytes")])
			case 2:
				cs.endHeader(c)
				cs.confirm(c, "a")
			case 3:
				cs.answered(c)
			case 4:
				cs.changed(c, http.StateIdle)
			case 5:
				cs.changed(c, http.StateClosed)
			case 6:
				cs.arrived(c, lines[:rapid.IntRange(0, len(lines)).Draw(t, "lines")])
			}
			sum, holding := 0, 0
			for _, c := range all {
				if c.header.element != nil {
					sum += c.header.charged()
					holding++
				}
			}
			if cs.headers.bytes != sum || cs.headers.holding.Len() != holding || sum > limits.HeaderBytes {
				t.Fatalf("%d bytes of %d headers are counted, and held are %d of %d", cs.headers.bytes, cs.headers.holding.Len(), sum, holding)
			}
		}
		for _, c := range all {
			cs.changed(c, http.StateClosed)
		}
		if cs.headers.bytes != 0 || cs.headers.holding.Len() != 0 {
			t.Fatalf("in the end %d bytes are held", cs.headers.bytes)
		}
	})
}
