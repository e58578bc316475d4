package mail

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"math/big"
	"mime"
	"mime/quotedprintable"
	"net"
	"net/mail"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// server is a mail server on loopback, for one connection.
type server struct {
	Server
	offers []string // extensions beside those that it has always
	refuse string   // the answer to MAIL; empty: it takes the message
	silent string   // the command that it does not answer; "greeting": it does not even greet

	listens string         // the address
	tls     *tls.Config    // of STARTTLS and of TLS from the start
	done    sync.WaitGroup // of the connection
	asked   chan struct{}  // closed when the command came that it does not answer
	end     func()         // waits for the connection, if there is one
	said    []string       // commands
	secure  []string       // those that came over TLS

	message string
}

func serve(t *testing.T, s *server) *server {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.listens = l.Addr().String()
	host, port, _ := net.SplitHostPort(s.listens)
	if s.Host == "" {
		s.Host = host
	}
	s.Port, _ = strconv.Atoi(port)
	s.asked = make(chan struct{})
	s.done.Go(func() {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		defer func() { _ = conn.Close() }()
		if s.Server.TLS {
			conn = tls.Server(conn, s.tls)
		}
		if s.silent == "greeting" {
			s.hang(conn)
			return
		}
		fmt.Fprint(conn, "220 mail.test\r\n")
		s.serveConn(conn)
	})
	s.end = func() {
		_ = l.Close()
		s.done.Wait()
	}
	t.Cleanup(s.end)
	return s
}

// hang waits until the client goes away.
func (s *server) hang(conn net.Conn) {
	close(s.asked)
	_, _ = io.Copy(io.Discard, conn)
}

func (s *server) serveConn(conn net.Conn) {
	_, secure := conn.(*tls.Conn)
	lines := bufio.NewScanner(conn)
	answer := func(text string) { fmt.Fprintf(conn, "%s\r\n", text) }
	for lines.Scan() {
		line := lines.Text()
		s.said = append(s.said, line)
		if secure {
			s.secure = append(s.secure, line)
		}
		verb, _, _ := strings.Cut(line, " ")
		if verb == s.silent {
			s.hang(conn)
			return
		}
		switch verb {
		case "EHLO":
			answer("250-mail.test")
			for _, extension := range s.offers {
				if extension != "STARTTLS" || !secure {
					answer("250-" + extension)
				}
			}
			answer("250 8BITMIME")
		case "STARTTLS":
			answer("220 go on")
			s.serveConn(tls.Server(conn, s.tls))
			return
		case "AUTH":
			if strings.HasPrefix(line, "AUTH LOGIN") {
				answer("334 VXNlcm5hbWU6")
				lines.Scan()
				answer("334 UGFzc3dvcmQ6")
				lines.Scan()
				s.said = append(s.said, lines.Text())
			}
			answer("235 ok")
		case "MAIL":
			answer(orText(s.refuse, "250 ok"))
		case "DATA":
			answer("354 go on")
			for lines.Scan() && lines.Text() != "." {
				s.message += lines.Text() + "\r\n"
			}
			answer("250 taken")
		case "QUIT":
			return // without an answer, which must not make a sent e-mail a failed one
		default:
			answer("250 ok")
		}
	}
}

// certificate returns what a server on this machine proves its name with, and what its clients must trust.
func certificate(t *testing.T) (*tls.Config, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), DNSNames: []string{"localhost", elsewhere}, NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(parsed)
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}, roots
}

func orText(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return text
}

func alertOf(t *testing.T, eventType string, d bellwire.OperationalData) *bellwire.Alert {
	t.Helper()
	data, err := json.Marshal(d)
	if err != nil {
		t.Fatal(err)
	}
	return &bellwire.Alert{Type: eventType, Data: data}
}

var noon = time.Date(2026, time.November, 27, 12, 0, 0, 0, time.UTC)

func about(id, reason string) bellwire.OperationalData {
	return bellwire.OperationalData{
		At: noon, Tenant: "acme", Endpoint: &bellwire.OperationalEndpoint{ID: id, URL: "https://example.com/hooks?token=[redacted]"},
		Health: &bellwire.OperationalHealth{Since: noon, Reason: reason},
	}
}

func oneAlert(t *testing.T) []*bellwire.Alert {
	t.Helper()
	return []*bellwire.Alert{alertOf(t, bellwire.OperationalFailing, about("ep_1", "x"))}
}

func disabledOf(id, reason string) bellwire.OperationalData {
	d := about(id, "")
	d.Health, d.Reason = nil, reason
	return d
}

func TestSend(t *testing.T) {
	t.Parallel()
	s := serve(t, &server{offers: []string{"AUTH PLAIN"}, Server: Server{User: "ops", Password: "hunter2hunter2"}})
	sender := New(Config{Server: s.Server, From: "bellwire@example.com"})
	alerts := []*bellwire.Alert{
		alertOf(t, bellwire.OperationalFailing, about("ep_1", "3 attempts failed\r\n.\r\nRCPT TO:<x@y.example>")),
		alertOf(t, bellwire.OperationalDisabled, disabledOf("ep_2", "größer")),
	}
	if err := sender.Send(t.Context(), "a@example.com", alerts); err != nil {
		t.Fatal(err)
	}
	s.done.Wait()
	said := strings.Join(s.said, "\n")
	for _, want := range []string{
		"MAIL FROM:<bellwire@example.com>", "RCPT TO:<a@example.com>",
		"AUTH PLAIN " + base64.StdEncoding.EncodeToString([]byte("\x00ops\x00hunter2hunter2")),
	} {
		if strings.Count(said, want) != 1 {
			t.Errorf("the server was not told %q once:\n%s", want, said)
		}
	}
	m, err := mail.ReadMessage(strings.NewReader(s.message))
	if err != nil {
		t.Fatal(err)
	}
	subject, err := new(mime.WordDecoder).DecodeHeader(m.Header.Get("Subject"))
	if want := "Bellwire: 1 endpoint failing, 1 disabled"; err != nil || subject != want {
		t.Errorf("subject %q (%v), want %q", subject, err, want)
	}
	if got := m.Header.Get("Content-Type"); !strings.HasPrefix(got, "text/plain") {
		t.Errorf("content type %q", got)
	}
	body, err := io.ReadAll(quotedprintable.NewReader(m.Body))
	if err != nil {
		t.Fatal(err)
	}
	want := `Endpoint ep_1 of tenant acme began to fail at 2026-11-27T12:00:00Z
    https://example.com/hooks?token=[redacted]
    3 attempts failed  .  RCPT TO:<x@y.example>
    bellwire endpoints show --tenant acme ep_1

Endpoint ep_2 of tenant acme was disabled at 2026-11-27T12:00:00Z
    https://example.com/hooks?token=[redacted]
    größer
    bellwire endpoints show --tenant acme ep_2

What needs attention now:
    bellwire status

An address gets at most one such e-mail an hour.
`
	if got := strings.ReplaceAll(string(body), "\r\n", "\n"); strings.TrimSpace(got) != strings.TrimSpace(want) {
		t.Errorf("body:\n%s\nwant:\n%s", got, want)
	}
}

// A failure is an error without the password, also where the server repeats it.
func TestRefused(t *testing.T) {
	t.Parallel()
	s := serve(t, &server{offers: []string{"AUTH PLAIN"}, refuse: "550 hunter2 is no sender", Server: Server{User: "ops", Password: "hunter2"}})
	err := New(Config{Server: s.Server, From: "bellwire@example.com"}).Send(t.Context(), "a@example.com", oneAlert(t))
	if err == nil || !strings.Contains(err.Error(), "550") || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("got the error %v", err)
	}
}

// elsewhere is the name of another machine.
const elsewhere = "mail.example"

// reach dials a server, whatever its name is.
func (s *server) reach(ctx context.Context, network, _ string) (net.Conn, error) {
	return new(net.Dialer).DialContext(ctx, network, s.listens)
}

// An e-mail to another machine, and its password, are encrypted: by STARTTLS or from the start.
func TestEncryption(t *testing.T) {
	t.Parallel()
	certified, roots := certificate(t)
	for name, s := range map[string]*server{
		"STARTTLS":      {offers: []string{"STARTTLS", "AUTH PLAIN"}},
		"STARTTLSLogin": {offers: []string{"STARTTLS", "AUTH LOGIN"}},
		"TLS":           {offers: []string{"AUTH PLAIN LOGIN"}, Server: Server{TLS: true}},
		"TLSHere":       {offers: []string{"AUTH LOGIN"}, Server: Server{TLS: true, Host: "localhost"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s.Host, s.User, s.Password, s.tls = orText(s.Host, elsewhere), "ops", "hunter2", certified
			serve(t, s)
			if err := New(Config{Server: s.Server, From: "bellwire@example.com", Roots: roots, Dial: s.reach}).Send(t.Context(), "a@example.com", oneAlert(t)); err != nil {
				t.Fatal(err)
			}
			s.end()
			said, secure := strings.Join(s.said, "\n"), strings.Join(s.secure, "\n")
			for _, want := range []string{"AUTH", "MAIL", "RCPT TO:<a@example.com>", "DATA"} {
				if !strings.Contains(secure, want) || strings.Count(said, want) != strings.Count(secure, want) {
					t.Errorf("%s was not said over TLS alone:\n%s", want, said)
				}
			}
			if s.message == "" {
				t.Error("nothing was sent")
			}
		})
	}
}

// Without encryption, or with a certificate that nobody vouches for, nothing is sent to another machine, and no password.
func TestRequiresTLS(t *testing.T) {
	t.Parallel()
	certified, roots := certificate(t)
	for name, c := range map[string]struct {
		server *server
		roots  *x509.CertPool
		want   string
	}{
		"NotOffered":         {&server{offers: []string{"AUTH PLAIN"}}, roots, "does not support STARTTLS"},
		"UnknownCertificate": {&server{offers: []string{"STARTTLS", "AUTH PLAIN"}}, nil, "certificate"},
		"UnknownFromStart":   {&server{offers: []string{"AUTH PLAIN"}, Server: Server{TLS: true}}, nil, "certificate"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := c.server
			s.Host, s.User, s.Password, s.tls = elsewhere, "ops", "hunter2", certified
			serve(t, s)
			err := New(Config{Server: s.Server, From: "bellwire@example.com", Roots: c.roots, Dial: s.reach}).Send(t.Context(), "a@example.com", oneAlert(t))
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got the error %v, want %q in it", err, c.want)
			}
			s.end() // the connection is closed
			for _, line := range s.said {
				if strings.HasPrefix(line, "AUTH") || strings.HasPrefix(line, "MAIL") {
					t.Errorf("the server was told %s", line)
				}
			}
		})
	}
}

// A server that does not answer is left when the context ends, whatever it was asked, and the connection is closed.
func TestSilentServer(t *testing.T) {
	t.Parallel()
	for _, command := range []string{"greeting", "EHLO", "AUTH", "MAIL", "DATA"} {
		t.Run(command, func(t *testing.T) {
			t.Parallel()
			s := serve(t, &server{offers: []string{"AUTH PLAIN"}, silent: command, Server: Server{User: "ops", Password: "hunter2"}})
			ctx, cancel := context.WithCancel(t.Context())
			go func() {
				<-s.asked
				cancel()
			}()
			err := New(Config{Server: s.Server, From: "bellwire@example.com"}).Send(ctx, "a@example.com", oneAlert(t))
			if err == nil || !strings.Contains(err.Error(), "has not answered in time") {
				t.Errorf("got %v", err)
			}
			s.end()
		})
	}
}

// Alerts that this version does not know are not reported, and no empty e-mail is sent.
func TestUnknownAlerts(t *testing.T) {
	t.Parallel()
	s := serve(t, &server{})
	alerts := []*bellwire.Alert{alertOf(t, "bellwire.endpoint.later", about("ep_1", "x"))}
	if err := New(Config{Server: s.Server, From: "bellwire@example.com"}).Send(t.Context(), "a@example.com", alerts); err != nil {
		t.Error(err)
	}
	s.end()
	if len(s.said) > 0 {
		t.Errorf("the server was told %q", s.said)
	}
}

func TestSubjects(t *testing.T) {
	t.Parallel()
	failing := func(id string) *bellwire.Alert { return alertOf(t, bellwire.OperationalFailing, about(id, "x")) }
	recovered := func(id string) *bellwire.Alert { return alertOf(t, bellwire.OperationalRecovered, about(id, "")) }
	disabled := func(id string) *bellwire.Alert { return alertOf(t, bellwire.OperationalDisabled, disabledOf(id, "x")) }
	gone := func(id string) *bellwire.Alert { // the failure that has disabled it
		data := about(id, "410")
		data.Endpoint.Status = bellwire.EndpointDisabled
		return alertOf(t, bellwire.OperationalFailing, data)
	}
	job := alertOf(t, bellwire.OperationalFinished, bellwire.OperationalData{Tenant: "acme", Job: &bellwire.OperationalJob{}})
	for want, alerts := range map[string][]*bellwire.Alert{
		"Bellwire: 3 endpoints failing, 1 disabled":                           {failing("1"), failing("2"), failing("3"), disabled("4")},
		"Bellwire: 1 endpoint recovered":                                      {failing("1"), recovered("1")},
		"Bellwire: 1 endpoint disabled":                                       {failing("1"), recovered("1"), failing("1"), disabled("1")},
		"Bellwire: 2 endpoints disabled":                                      {disabled("1"), disabled("2"), gone("2")},
		"Bellwire: 1 job failed":                                              {job},
		"Bellwire: 1 endpoint failing, 1 disabled, 1 recovered, 1 job failed": {recovered("3"), job, disabled("2"), failing("1")},
	} {
		t.Run(want, func(t *testing.T) {
			t.Parallel()
			d, err := newDigest(alerts)
			if err != nil {
				t.Fatal(err)
			}
			if got := d.subject(); got != want {
				t.Errorf("got %q", got)
			}
		})
	}
}

// A digest has a bounded number of paragraphs, and says how many more there are.
func TestDigestIsBounded(t *testing.T) {
	t.Parallel()
	var alerts []*bellwire.Alert
	for i := range bellwire.MaxAlerts {
		alerts = append(alerts, alertOf(t, bellwire.OperationalFailing, about(fmt.Sprint("ep_", i), strings.Repeat("x", 5000))))
	}
	d, err := newDigest(alerts)
	if err != nil {
		t.Fatal(err)
	}
	body := d.body()
	if n := strings.Count(body, "began to fail at"); n != maxParagraphs {
		t.Errorf("%d paragraphs, want %d", n, maxParagraphs)
	}
	for _, want := range []string{fmt.Sprint(bellwire.MaxAlerts-maxParagraphs, " more endpoints and jobs."), "More has happened than one e-mail reports."} {
		if !strings.Contains(body, want) {
			t.Errorf("the body does not say %q:\n%s", want, body[len(body)-500:])
		}
	}
	if len(body) > maxParagraphs*2*maxText {
		t.Errorf("the body has %d bytes", len(body))
	}
}

func TestParseURL(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]Server{
		"smtp://localhost":                  {Host: "localhost", Port: 587},
		"smtp://[::1]:25":                   {Host: "::1", Port: 25},
		"smtps://ops:p%40ss@m.example":      {Host: "m.example", Port: 465, TLS: true, User: "ops", Password: "p@ss"},
		"smtp://ops:hunter2@m.example:2525": {Host: "m.example", Port: 2525, User: "ops", Password: "hunter2"},
		"smtp://ops:hunter2@m.example:0":    {},
		"smtp://ops:hunter2@m.example:x":    {},
		"smtp://ops:hunter2/x@m.example":    {},
		"smtp://ops:hunter2@m.example/x":    {},
		"smtp://ops:hunter2@m.example?x=y":  {},
		"smtp://ops@m.example":              {},
		"smtp://:hunter2@m.example":         {},
		"smtp://":                           {},
		"http://m.example":                  {},
		"m.example:587":                     {},
	} {
		t.Run(text, func(t *testing.T) {
			t.Parallel()
			got, err := ParseURL(text)
			if got != want || (err == nil) != (want != Server{}) {
				t.Errorf("got %#v, %v", got, err)
			}
			if err != nil && strings.Contains(err.Error(), "hunter2") || strings.Contains(fmt.Sprintf("%v %+v", got, got), "hunter2") {
				t.Errorf("the password is shown: %v, %v", err, got)
			}
		})
	}
}

// A test is answered with what the mail server says about it.
func TestSendTest(t *testing.T) {
	t.Parallel()
	login := Server{User: "ops", Password: "taken"}
	s := serve(t, &server{offers: []string{"AUTH PLAIN"}, Server: login})
	answer, err := New(Config{Server: s.Server, From: "bellwire@example.com"}).SendTest(t.Context(), "a@example.com")
	if err != nil || !strings.Contains(answer, bellwire.Redacted) || strings.Contains(answer, login.Password) {
		t.Errorf("got the answer %q, %v; want that of the server, without the password that it repeats", answer, err)
	}
	s.done.Wait()
	m, err := mail.ReadMessage(strings.NewReader(s.message))
	if err != nil || m.Header.Get("Subject") != testSubject || m.Header.Get("To") != "<a@example.com>" {
		t.Errorf("%v: %s", err, s.message)
	}
	refused := serve(t, &server{offers: []string{"AUTH PLAIN"}, refuse: "550 taken is no sender", Server: login})
	answer, err = New(Config{Server: refused.Server, From: "bellwire@example.com"}).SendTest(t.Context(), "a@example.com")
	if err == nil || answer != "" || !strings.Contains(err.Error(), "550") || strings.Contains(err.Error(), login.Password) {
		t.Errorf("got %q, %v", answer, err)
	}
}
