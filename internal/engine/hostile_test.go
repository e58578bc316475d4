package engine

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/bellwire/bellwire"
)

// certificate makes a certificate for a name, valid until a time, that is its own authority.
func certificate(t *testing.T, name string, until time.Time) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name},
		NotBefore: until.Add(-24 * time.Hour), NotAfter: until, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	if ip := net.ParseIP(name); ip != nil {
		template.DNSNames, template.IPAddresses = nil, []net.IP{ip}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(parsed)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: parsed}, pool
}

func TestBadCertificatesAreToldApart(t *testing.T) {
	t.Parallel()
	tomorrow, yesterday := time.Now().Add(24*time.Hour), time.Now().Add(-time.Hour)
	cases := map[string]struct {
		name    string
		until   time.Time
		trusted bool
		want    bellwire.Outcome
		text    string
	}{
		"good":         {"127.0.0.1", tomorrow, true, bellwire.OutcomeOK, ""},
		"expired":      {"127.0.0.1", yesterday, true, bellwire.OutcomeTLS, "expired"},
		"another host": {"other.test", tomorrow, true, bellwire.OutcomeTLS, "127.0.0.1"},
		"self-signed":  {"127.0.0.1", tomorrow, false, bellwire.OutcomeTLS, "unknown authority"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cert, pool := certificate(t, c.name, c.until)
			s := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
			quiet(s)
			s.TLS = &tls.Config{Certificates: []tls.Certificate{cert}}
			s.StartTLS()
			t.Cleanup(s.Close)
			if !c.trusted {
				pool = x509.NewCertPool()
			}
			a := attempt(t, guardedDialer(loopback), &tls.Config{RootCAs: pool}, s.URL).attempt
			if a.Outcome != c.want || !strings.Contains(a.Error, c.text) {
				t.Errorf("outcome %q (%s), want %q (%s)", a.Outcome, a.Error, c.want, c.text)
			}
		})
	}
}

// h2 serves connections that have agreed on HTTP/2 with frames of serve's own making.
func h2(t *testing.T, serve func(net.Conn)) (url string, config *tls.Config) {
	t.Helper()
	cert, pool := certificate(t, "127.0.0.1", time.Now().Add(time.Hour))
	l, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{cert}, NextProtos: []string{"h2"}})
	if err != nil {
		t.Fatal(err)
	}
	var (
		all   sync.WaitGroup
		conns = make(chan net.Conn, 100)
	)
	all.Go(func() {
		defer close(conns)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			conns <- c
			all.Go(func() {
				defer c.Close()
				serve(c)
			})
		}
	})
	t.Cleanup(func() {
		l.Close()
		for c := range conns {
			c.Close()
		}
		all.Wait()
	})
	return "https://" + l.Addr().String(), &tls.Config{RootCAs: pool}
}

// Frames of HTTP/2 (RFC 9113, 4.1): length, type, flags, stream, payload.
const (
	settings = "\x00\x00\x00\x04\x00\x00\x00\x00\x00"
	goAway   = "\x00\x00\x08\x07\x00\x00\x00\x00\x00" + "\x00\x00\x00\x00" + "\x00\x00\x00\x00"
	ping     = "\x00\x00\x08\x06\x00\x00\x00\x00\x00" + "12345678"
	rubbish  = "\x00\x00\x04\x01\x04\x00\x00\x00\x01" + "\xff\xff\xff\xff" // headers that are no HPACK
)

func TestHostileHTTP2Peers(t *testing.T) {
	t.Parallel()
	discard := func(c net.Conn) { _, _ = io.Copy(io.Discard, c) }
	cases := map[string]func(net.Conn){
		"stalls":            func(c net.Conn) { write(settings)(c); discard(c) },
		"says nothing":      discard,
		"goes away at once": func(c net.Conn) { write(settings + goAway)(c); discard(c) },
		"floods with GOAWAY": func(c net.Conn) {
			go discard(c)
			endless(settings, goAway)(c)
		},
		"floods with PING": func(c net.Conn) {
			go discard(c)
			endless(settings, ping)(c)
		},
		"broken headers": func(c net.Conn) { write(settings + rubbish)(c); discard(c) },
		"garbage":        func(c net.Conn) { write("HTTP/1.1 200 OK\r\n\r\n")(c); discard(c) },
	}
	for name, serve := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			url, config := h2(t, serve)
			started := time.Now()
			r := attempt(t, guardedDialer(loopback), config, url) // its deadline is a second
			if took := time.Since(started); took > 3*time.Second {
				t.Error("it took", took)
			}
			if a := r.attempt; r.verdict == bellwire.Acknowledged || a.Error == "" {
				t.Errorf("outcome %q (%s)", a.Outcome, a.Error)
			}
		})
	}
}

// Answers without end cost no memory, and a healthy endpoint goes on meanwhile.
func TestMemoryStaysFlat(t *testing.T) {
	hostile := []string{
		raw(t, endless("HTTP/1.1 200 OK\r\nContent-Length: 1073741824\r\n\r\n", strings.Repeat("x", 64<<10))),
		raw(t, endless("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "10000\r\n"+strings.Repeat("x", 64<<10)+"\r\n")),
		raw(t, endless("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 1073741824\r\n\r\n", strings.Repeat("\x00", 64<<10))),
		raw(t, endless("HTTP/1.1 200 OK\r\n", "X-Filler: "+strings.Repeat("x", 4000)+"\r\n")),
		raw(t, endless("HTTP/1.1 200 OK\r\nX: ", strings.Repeat("x", 64<<10))),
	}
	healthy := raw(t, write("HTTP/1.1 204 No Content\r\n\r\n"))
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	var all sync.WaitGroup
	for range 10 {
		for _, url := range hostile {
			all.Go(func() { attempt(t, guardedDialer(loopback), nil, url) })
		}
		if r := attempt(t, guardedDialer(loopback), nil, healthy); r.verdict != bellwire.Acknowledged {
			t.Error("the healthy endpoint:", r.attempt.Error)
		}
	}
	all.Wait()
	runtime.GC()
	runtime.ReadMemStats(&after)
	if grown := int64(after.HeapAlloc) - int64(before.HeapAlloc); grown > 16<<20 {
		t.Errorf("the heap has grown by %d MiB", grown>>20)
	}
}
