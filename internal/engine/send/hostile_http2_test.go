package send

import (
	"context"
	"crypto/tls"
	"encoding/binary"
	"io"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// h2 serves connections that have agreed on HTTP/2 with frames of the peer's own making.
func h2(t *testing.T, peer hostile) (url string, config *tls.Config) {
	t.Helper()
	cert, pool := certificate(t, "127.0.0.1", time.Now().Add(time.Hour))
	l, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{cert}, NextProtos: []string{"h2"}})
	if err != nil {
		t.Fatal(err)
	}
	var (
		all   sync.WaitGroup
		mu    sync.Mutex
		conns []net.Conn
	)
	all.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			mu.Lock()
			conns = append(conns, c)
			mu.Unlock()
			all.Go(func() {
				defer c.Close()
				if peer.unread || exchangeSettings(c) == nil {
					peer.serve(c)
				}
			})
		}
	})
	t.Cleanup(func() {
		l.Close()
		mu.Lock()
		for _, c := range conns {
			c.Close()
		}
		mu.Unlock()
		all.Wait()
	})
	return "https://" + l.Addr().String(), &tls.Config{RootCAs: pool}
}

// Types and flags of frames (RFC 9113, 6).
const (
	frameData, frameHeaders, frameReset, frameSettings, framePush, framePing, frameGoAway, frameWindow, frameContinuation = 0, 1, 3, 4, 5, 6, 7, 8, 9

	flagEndHeaders = 4

	settingMaxStreams, settingInitialWindow, settingMaxFrame = 3, 4, 5
)

// frame is a frame as it goes over the wire (RFC 9113, 4.1).
func frame(kind, flags byte, stream uint32, payload string) string {
	head := binary.BigEndian.AppendUint32(nil, uint32(len(payload)))[1:]
	head = append(head, kind, flags)
	return string(binary.BigEndian.AppendUint32(head, stream)) + payload
}

// setting is one entry of a SETTINGS frame.
func setting(id uint16, value uint32) string {
	return string(binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint16(nil, id), value))
}

func word(n uint32) string { return string(binary.BigEndian.AppendUint32(nil, n)) }

// Pieces of HPACK (RFC 7541).
const (
	status200 = "\x88"
	status103 = "\x08\x03103"       // the name of index 8, and a value
	lengthy   = "\x01x\x7f\xa1\x1e" // a name, and the length of a value of 4000 bytes
	again     = "\xbe"              // the newest entry of the table
)

var (
	long   = "\x00" + lengthy + strings.Repeat("y", 4000)
	kept   = "\x40" + lengthy + strings.Repeat("y", 4000) // goes into the table
	hello  = frame(frameSettings, 0, 0, "")
	answer = frame(frameHeaders, flagEndHeaders, 1, status200)
	goAway = frame(frameGoAway, 0, 0, word(0)+word(0))
	ping   = frame(framePing, 0, 0, "12345678")
	refuse = word(7) // REFUSED_STREAM
)

// preface is the first thing that a client sends (RFC 9113, 3.4).
const preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

func discard(c net.Conn) { _, _ = io.Copy(io.Discard, c) }

// flood sends a start and then the same again and again, and reads whatever comes.
func flood(start, more string) func(net.Conn) {
	return func(c net.Conn) {
		go discard(c)
		endless(start, more)(c)
	}
}

// says sends one text, and reads from there on.
func says(text string) func(net.Conn) {
	return func(c net.Conn) {
		write(text)(c)
		discard(c)
	}
}

// readFrame reads one frame.
func readFrame(c net.Conn) (kind byte, stream uint32, payload []byte, err error) {
	head := make([]byte, 9)
	if _, err := io.ReadFull(c, head); err != nil {
		return 0, 0, nil, err
	}
	payload = make([]byte, binary.BigEndian.Uint32(append([]byte{0}, head[:3]...)))
	_, err = io.ReadFull(c, payload)
	return head[3], binary.BigEndian.Uint32(head[5:]), payload, err
}

// exchangeSettings reads the preface, sends the settings, and reads until a request comes.
func exchangeSettings(c net.Conn) error {
	_, err := io.CopyN(io.Discard, c, int64(len(preface)))
	write(hello)(c)
	for kind := byte(0); err == nil && kind != frameHeaders; {
		kind, _, _, err = readFrame(c)
	}
	return err
}

// refuseStreams resets each stream that is opened.
func refuseStreams(c net.Conn) {
	write(hello)(c)
	_, err := io.CopyN(io.Discard, c, int64(len(preface)))
	for err == nil {
		var (
			kind   byte
			stream uint32
		)
		kind, stream, _, err = readFrame(c)
		if kind == frameHeaders {
			write(frame(frameReset, 0, stream, refuse))(c)
		}
	}
}

// hostilePeers speak HTTP/2 and mean no good.
var hostilePeers = map[string]hostile{
	"says nothing":             {serve: discard, unread: true, want: bellwire.OutcomeTimeout, text: "waiting for the response"},
	"stalls":                   {serve: discard, want: bellwire.OutcomeTimeout, text: "waiting for the response"},
	"window of 0":              {unread: true, serve: says(frame(frameSettings, 0, 0, setting(settingInitialWindow, 0))), body: 128 << 10, want: bellwire.OutcomeTimeout, text: "sending the request"},
	"no streams":               {unread: true, serve: says(frame(frameSettings, 0, 0, setting(settingMaxStreams, 0))), want: bellwire.OutcomeTimeout, or: bellwire.OutcomeReset},
	"refuses streams":          {unread: true, serve: refuseStreams, want: bellwire.OutcomeReset, text: "refused the request"},
	"goes away at once":        {unread: true, serve: says(hello + goAway), want: bellwire.OutcomeReset},
	"floods with GOAWAY":       {unread: true, serve: flood(hello, goAway), want: bellwire.OutcomeReset},
	"floods with late GOAWAY":  {serve: flood("", frame(frameGoAway, 0, 0, word(1)+word(0))), want: bellwire.OutcomeTimeout, text: "waiting for the response"},
	"resets the stream":        {serve: says(frame(frameReset, 0, 1, word(2))), want: bellwire.OutcomeReset, text: "INTERNAL_ERROR"},
	"floods with RST_STREAM":   {serve: flood("", frame(frameReset, 0, 1, word(8))), want: bellwire.OutcomeReset, text: "CANCEL"},
	"floods with PING":         {serve: flood("", ping), want: bellwire.OutcomeTimeout, text: "waiting for the response"},
	"PING without reading":     {serve: endless("", ping), want: bellwire.OutcomeTimeout},
	"floods with SETTINGS":     {serve: flood("", frame(frameSettings, 0, 0, setting(settingMaxFrame, 1<<15))), want: bellwire.OutcomeTimeout, text: "waiting for the response"},
	"floods with PUSH_PROMISE": {serve: flood("", frame(framePush, flagEndHeaders, 1, word(2)+status200)), want: bellwire.OutcomeProtocol, text: "PROTOCOL_ERROR"},
	"overflows the window":     {serve: flood("", frame(frameWindow, 0, 0, word(1<<31-1))), want: bellwire.OutcomeProtocol, text: "FLOW_CONTROL_ERROR"},
	"endless headers":          {serve: flood(frame(frameHeaders, 0, 1, status200), frame(frameContinuation, 0, 1, long)), want: bellwire.OutcomeProtocol, text: "PROTOCOL_ERROR"},
	"empty CONTINUATIONs":      {serve: flood(frame(frameHeaders, 0, 1, status200), frame(frameContinuation, 0, 1, "")), want: bellwire.OutcomeTimeout},
	"endless 1xx":              {serve: flood("", frame(frameHeaders, flagEndHeaders, 1, status103)), want: bellwire.OutcomeProtocol, text: "PROTOCOL_ERROR"},
	"header bomb":              {serve: says(frame(frameHeaders, flagEndHeaders, 1, status200+kept+strings.Repeat(again, 10_000))), want: bellwire.OutcomeProtocol},
	"1 GiB body":               {serve: flood(answer, frame(frameData, 0, 1, strings.Repeat("x", 16<<10))), want: bellwire.OutcomeOK},
	"empty DATA":               {serve: flood(answer, frame(frameData, 0, 1, "")), want: bellwire.OutcomeOK, note: notInTime},
	"hangs up":                 {serve: func(net.Conn) {}, want: bellwire.OutcomeReset},
	"broken HPACK":             {serve: says(frame(frameHeaders, flagEndHeaders, 1, "\xff\xff\xff\xff")), want: bellwire.OutcomeProtocol, text: "COMPRESSION_ERROR"},
	"frame too large":          {serve: says(frame(frameData, 0, 1, strings.Repeat("x", 1<<20+1))), want: bellwire.OutcomeProtocol, text: "HTTP/2"},
	"garbage":                  {unread: true, serve: says("HTTP/1.1 200 OK\r\n\r\n"), want: bellwire.OutcomeProtocol},
}

func TestHostileHTTP2Peers(t *testing.T) {
	t.Parallel()
	for name, peer := range hostilePeers {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			url, config := h2(t, peer)
			var dialled atomic.Int32
			dial := func(ctx context.Context, network, address string) (net.Conn, error) {
				dialled.Add(1)
				return guardedDialer(loopback)(ctx, network, address)
			}
			peer.check(t, attempt(t, dial, config, url, peer.change))
			if n := dialled.Load(); n > 2*maxMade {
				t.Errorf("it took %d connections", n)
			}
		})
	}
}

// A peer that answers with a frame of one byte at a time is cut off at the deadline.
func TestDrippingHTTP2Peer(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		cert, pool := certificate(t, "a.test", time.Now().Add(time.Hour))
		dial := overPipe(t, func(c net.Conn) {
			secure := tls.Server(c, &tls.Config{Certificates: []tls.Certificate{cert}, NextProtos: []string{"h2"}})
			if exchangeSettings(secure) == nil {
				go discard(secure)
				drip(answer, frame(frameData, 0, 1, "x"))(secure)
			}
		})
		peer := hostile{want: bellwire.OutcomeOK, note: notInTime}
		peer.check(t, attempt(t, dial, &tls.Config{RootCAs: pool}, "https://a.test/", peer.change))
	})
}

// A peer that reads nothing, while it asks for answers, does not keep its connection for ever.
func TestStuckHTTP2ConnectionsEnd(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		cert, pool := certificate(t, "a.test", time.Now().Add(time.Hour))
		var open atomic.Int32
		dial := func(context.Context, string, string) (net.Conn, error) {
			ours, theirs := net.Pipe()
			open.Add(1)
			go func() {
				defer open.Add(-1)
				c := tls.Server(theirs, &tls.Config{Certificates: []tls.Certificate{cert}, NextProtos: []string{"h2"}})
				endless(hello, ping)(c)
			}()
			return ours, nil
		}
		r := attempt(t, dial, &tls.Config{RootCAs: pool}, "https://a.test/")
		if r.Attempt.Outcome != bellwire.OutcomeTimeout || open.Load() != 1 {
			t.Errorf("outcome %q (%s), %d connections", r.Attempt.Outcome, r.Attempt.Error, open.Load())
		}
		time.Sleep(2 * connectTimeout)
		synctest.Wait()
		if n := open.Load(); n > 0 {
			t.Errorf("%d connections are still open", n)
		}
	})
}

// What a peer can send before anybody reads it stays in memory, so the windows that it is given are small.
func TestHTTP2WindowsAreSmall(t *testing.T) {
	t.Parallel()
	granted := make(chan map[uint16]uint32, 1)
	url, config := h2(t, hostile{unread: true, serve: func(c net.Conn) {
		if _, err := io.CopyN(io.Discard, c, int64(len(preface))); err != nil {
			t.Error(err)
		}
		kind, _, payload, err := readFrame(c)
		if err != nil || kind != frameSettings {
			t.Errorf("the first frame is of type %d: %v", kind, err)
		}
		settings := map[uint16]uint32{}
		for ; len(payload) >= 6; payload = payload[6:] {
			settings[binary.BigEndian.Uint16(payload)] = binary.BigEndian.Uint32(payload[2:])
		}
		granted <- settings
	}})
	attempt(t, guardedDialer(loopback), config, url)
	if window := (<-granted)[settingInitialWindow]; window == 0 || window > readBody {
		t.Errorf("a stream's window is %d bytes", window)
	}
}
