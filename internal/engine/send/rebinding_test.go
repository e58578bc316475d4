package send

import (
	"context"
	"encoding/binary"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/destination"
)

// dnsServer answers each question for an IPv4 address with what its owner says at that moment.
func dnsServer(t *testing.T, addresses func() []string) *net.Resolver {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var serving sync.WaitGroup
	serving.Go(func() {
		query := make([]byte, 512)
		for {
			n, from, err := conn.ReadFrom(query)
			if err != nil {
				return
			}
			_, _ = conn.WriteTo(dnsAnswer(query[:n], addresses), from) // who asked asks again
		}
	})
	t.Cleanup(func() { conn.Close(); serving.Wait() })
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "udp", conn.LocalAddr().String())
	}}
}

// dnsAnswer is the message (RFC 1035, 4) that answers a query.
func dnsAnswer(query []byte, addresses func() []string) []byte {
	const header, typeA, classIN = 12, 1, 1
	end := header
	for query[end] != 0 { // the labels of the name
		end += 1 + int(query[end])
	}
	question := query[header : end+5]
	answer := append([]byte{query[0], query[1], 0x81, 0x80, 0, 1, 0, 0, 0, 0, 0, 0}, question...)
	if binary.BigEndian.Uint16(query[end+1:]) != typeA {
		return answer
	}
	for _, address := range addresses() {
		answer[7]++
		answer = append(answer, 0xc0, header, 0, typeA, 0, classIN, 0, 0, 0, 0, 0, 4)
		answer = append(answer, netip.MustParseAddr(address).AsSlice()...)
	}
	return answer
}

// listenOn starts a server that counts its visits at an address of this machine. On the first it chooses the port.
func listenOn(t *testing.T, address string) (port string, visits *atomic.Int32) {
	t.Helper()
	visits = new(atomic.Int32)
	l, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		visits.Add(1)
		w.Header().Set("Connection", "close") // so that the next attempt has to dial
	}))
	s.Listener.Close()
	s.Listener = l
	s.Start()
	t.Cleanup(s.Close)
	_, port, _ = net.SplitHostPort(l.Addr().String())
	return port, visits
}

// A host name that resolves to a public address when it is checked, and to a private one when it is dialled, does not reach
// the private one: the address that is dialled is checked. Here 127.0.0.1 counts as public, and 127.0.0.2 as private.
func TestRebinding(t *testing.T) {
	t.Parallel()
	port, outside := listenOn(t, "127.0.0.1:0")
	_, inside := listenOn(t, "127.0.0.2:"+port)
	var now atomic.Pointer[[]string]
	dialer := newDialer(destination.New(destination.Config{Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}}))
	dialer.Resolver = dnsServer(t, func() []string { return *now.Load() })
	for _, step := range []struct {
		addresses []string
		want      bellwire.Outcome
		visits    int32 // outside, so far
	}{
		{[]string{"127.0.0.1"}, bellwire.OutcomeOK, 1},
		{[]string{"127.0.0.2"}, bellwire.OutcomeBlocked, 1},
		{[]string{"127.0.0.1"}, bellwire.OutcomeOK, 2},
		{[]string{"127.0.0.2", "127.0.0.1"}, bellwire.OutcomeOK, 3},
		{[]string{"127.0.0.2", "169.254.169.254", "10.0.0.1"}, bellwire.OutcomeBlocked, 3},
	} {
		now.Store(&step.addresses)
		a := attempt(t, dialer.DialContext, nil, "http://rebinding.test:"+port+"/").Attempt
		if a.Outcome != step.want || outside.Load() != step.visits {
			t.Errorf("%v: outcome %q (%s), %d visits outside", step.addresses, a.Outcome, a.Error, outside.Load())
		}
		if strings.Contains(a.Error, "127.0.0.2") {
			t.Error("the error names the private address:", a.Error)
		}
	}
	if n := inside.Load(); n > 0 {
		t.Errorf("%d requests came inside", n)
	}
}
