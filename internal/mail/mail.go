// Package mail sends alerts to operators by e-mail.
package mail

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/mail"
	"net/netip"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	gomail "github.com/wneessen/go-mail"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// stepTimeout bounds each part of a conversation with the mail server: connecting, logging in, and sending. Mail servers can be slow
// on purpose.
const stepTimeout = 30 * time.Second

// Server is a mail server. Its zero value is none.
type Server struct {
	Host string
	Port int
	TLS  bool // from the start; false: STARTTLS, unless the host is this machine

	User     string // empty: without authentication
	Password string
}

// ParseURL reads the URL of a mail server, such as smtp://user:password@mail.example.com:587. Its error never repeats the URL, which
// may contain a password.
func ParseURL(text string) (Server, error) {
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Scheme != "smtp" && u.Scheme != "smtps" || u.Hostname() == "":
		return Server{}, errors.New("must be smtp://user:password@host:587 or smtps://user:password@host:465; characters such as @ and / in the password must be percent-encoded")
	case strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "":
		return Server{}, errors.New("must have no path, query or fragment; characters such as / and ? in the password must be percent-encoded")
	}
	s := Server{Host: u.Hostname(), TLS: u.Scheme == "smtps", User: u.User.Username(), Port: gomail.DefaultPortTLS}
	s.Password, _ = u.User.Password()
	if (s.User == "") != (s.Password == "") {
		return Server{}, errors.New("must have both a user name and a password, or neither")
	}
	if s.TLS {
		s.Port = gomail.DefaultPortSSL
	}
	if u.Port() != "" {
		if s.Port, err = strconv.Atoi(u.Port()); err != nil || s.Port < 1 || s.Port > 65535 {
			return Server{}, errors.New("must have a port between 1 and 65535")
		}
	}
	return s, nil
}

// String returns the URL without the user and the password.
func (s Server) String() string {
	if s.Host == "" {
		return ""
	}
	u := url.URL{Scheme: "smtp", Host: net.JoinHostPort(s.Host, strconv.Itoa(s.Port))}
	if s.TLS {
		u.Scheme = "smtps"
	}
	return u.String()
}

// local reports whether the server is on this machine, so that nobody can listen in.
func (s Server) local() bool {
	ip, err := netip.ParseAddr(s.Host)
	return s.Host == "localhost" || err == nil && ip.IsLoopback()
}

// CheckAddress returns an error unless text is an e-mail address without a name.
func CheckAddress(text string) error {
	if a, err := mail.ParseAddress(text); err != nil || a.Address != text {
		return errors.New("must be an e-mail address such as ops@example.com")
	}
	return nil
}

// Config configures a Sender.
type Config struct {
	Server Server
	From   string                                                               // address of the sender
	Roots  *x509.CertPool                                                       // of the mail server's certificate; nil: the system's
	Dial   func(ctx context.Context, network, address string) (net.Conn, error) // nil: the system's
}

// Sender sends digests of alerts.
type Sender struct{ config Config }

// New returns a sender.
func New(c Config) *Sender {
	if c.Dial == nil {
		c.Dial = new(net.Dialer).DialContext
	}
	return &Sender{c}
}

// Send sends a digest of alerts, oldest first, to an address, unless nothing is left to report. Its error contains no password.
func (s *Sender) Send(ctx context.Context, address string, alerts []*bellwire.Alert) error {
	d, err := newDigest(alerts)
	if err != nil || len(d.items) == 0 {
		return err
	}
	m, err := s.message(address, d.subject(), d.body())
	if err != nil {
		return err
	}
	return s.readable(ctx, s.send(ctx, m))
}

// The e-mail that SendTest sends.
const (
	testSubject = "Bellwire: test of alerts by e-mail"
	testBody    = "This is a test. Somebody with an admin key has asked for it. Alerts about endpoints and jobs come to this address.\n"
)

// SendTest sends a test to an address, and returns what the mail server answered to it. Neither that nor the error contains a
// password.
func (s *Sender) SendTest(ctx context.Context, address string) (answer string, err error) {
	m, err := s.message(address, testSubject, testBody)
	if err != nil {
		return "", err
	}
	if err := s.readable(ctx, s.send(ctx, m)); err != nil {
		return "", err
	}
	return plain(s.withoutPassword(m.ServerResponse())), nil
}

// readable returns an error for people, nil for nil.
func (s *Sender) readable(ctx context.Context, err error) error {
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil || errors.Is(err, os.ErrDeadlineExceeded):
		return fmt.Errorf("the mail server %s has not answered in time", s.config.Server)
	}
	return errors.New(plain(s.withoutPassword(err.Error())))
}

func (s *Sender) withoutPassword(text string) string {
	if s.config.Server.Password == "" {
		return text
	}
	return strings.ReplaceAll(text, s.config.Server.Password, bellwire.Redacted)
}

func (s *Sender) message(address, subject, body string) (*gomail.Msg, error) {
	m := gomail.NewMsg(gomail.WithNoDefaultUserAgent())
	if err := errors.Join(m.From(s.config.From), m.To(address)); err != nil {
		return nil, err
	}
	m.Subject(subject)
	m.SetDate()
	m.SetMessageID()
	m.SetGenHeader("Auto-Submitted", "auto-generated")
	m.SetBodyString(gomail.TypeTextPlain, body)
	return m, nil
}

// send sends an e-mail over a connection of its own, which it closes, also when ctx ends.
func (s *Sender) send(ctx context.Context, m *gomail.Msg) error {
	var connection net.Conn
	defer func() {
		if connection != nil {
			_ = connection.Close()
		}
	}()
	ended := func() bool { return true }
	defer func() { ended() }()
	dial := func(dialing context.Context, network, address string) (_ net.Conn, err error) {
		if connection, err = s.dial(dialing, network, address); err == nil {
			ended = context.AfterFunc(ctx, func() { _ = connection.Close() })
		}
		return connection, err
	}
	client, err := gomail.NewClient(s.config.Server.Host, append(s.options(), gomail.WithDialContextFunc(dial))...)
	if err != nil {
		return err
	}
	conversation, err := client.DialToSMTPClientWithContext(ctx)
	if err != nil {
		return err
	}
	err = client.SendWithSMTPClient(conversation, m)
	_ = client.CloseWithSMTPClient(conversation) // the server has taken the message, or has not: the end changes neither
	return err
}

func (s *Sender) dial(ctx context.Context, network, address string) (net.Conn, error) {
	connection, err := s.config.Dial(ctx, network, address)
	if err != nil || !s.config.Server.TLS {
		return connection, err
	}
	encrypted := tls.Client(connection, s.tls())
	if err := encrypted.HandshakeContext(ctx); err != nil {
		return nil, errors.Join(err, connection.Close())
	}
	return encrypted, nil
}

func (s *Sender) tls() *tls.Config {
	return &tls.Config{ServerName: s.config.Server.Host, MinVersion: tls.VersionTLS12, RootCAs: s.config.Roots}
}

// options returns how to talk to the server once it is connected.
func (s *Sender) options() []gomail.Option {
	server := s.config.Server
	policy, plain, login := gomail.TLSMandatory, gomail.SMTPAuthPlain, gomail.SMTPAuthLogin
	switch {
	case server.TLS:
		policy = gomail.NoTLS // there is TLS already
	case server.local():
		policy = gomail.NoTLS // a certificate for this machine's own name seldom exists
		plain, login = gomail.SMTPAuthPlainNoEnc, gomail.SMTPAuthLoginNoEnc
	}
	options := []gomail.Option{
		gomail.WithPort(server.Port), gomail.WithTimeout(stepTimeout), gomail.WithTLSPolicy(policy), gomail.WithTLSConfig(s.tls()),
	}
	if server.User != "" {
		options = append(options, gomail.WithUsername(server.User), gomail.WithPassword(server.Password),
			gomail.WithOpportunisticSMTPAuth(gomail.SMTPAuthSCRAMSHA256, gomail.SMTPAuthSCRAMSHA1, plain, login))
	}
	return options
}
