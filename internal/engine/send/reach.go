package send

import (
	"cmp"
	"context"
	"crypto/tls"
	"net"
	"net/url"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// Reached is what came of connecting to the host of a URL.
type Reached struct {
	Outcome bellwire.Outcome // OutcomeOK: it can be reached
	Error   string           // what went wrong, as attempts have it; empty with OutcomeOK
	Timings bellwire.Timings
}

// Reach connects to the host of a URL as an attempt would, with TLS if the URL has it, and sends no request. Its error has
// CodeUnavailable if this node is to blame.
func (s *Sender) Reach(ctx context.Context, target *url.URL) (*Reached, error) {
	ctx, cancel := context.WithTimeout(ctx, connectTimeout)
	defer cancel()
	tr := newTrace(time.Now(), cancel)
	tr.host = target.Hostname()
	err := s.connect(traced{ctx, tr}, target, tr)
	if fault := shortage(err); fault != "" {
		return nil, bellwire.Wrap(bellwire.CodeUnavailable, err, "this server lacks %s to connect; try again in a moment", fault)
	}
	found := &Reached{Outcome: bellwire.OutcomeOK, Timings: tr.timings(time.Now())}
	if err != nil {
		found.Outcome, found.Error = classify(err, tr)
	}
	return found, nil
}

// connect opens a connection and closes it.
func (s *Sender) connect(ctx context.Context, target *url.URL, tr *trace) error {
	h := s.transport.alone()
	port := cmp.Or(target.Port(), map[string]string{"https": "443", "http": "80"}[target.Scheme])
	conn, err := h.DialContext(ctx, "tcp", net.JoinHostPort(tr.host, port))
	if err != nil {
		return err
	}
	defer conn.Close()
	if target.Scheme != "https" {
		return nil
	}
	config := h.TLSClientConfig.Clone()
	config.ServerName = cmp.Or(config.ServerName, tr.host)
	config.NextProtos = []string{"h2", "http/1.1"}
	tr.note(tr.handshake.begin)
	if err := tls.Client(conn, config).HandshakeContext(ctx); err != nil {
		return err
	}
	tr.note(tr.handshake.end)
	return nil
}
