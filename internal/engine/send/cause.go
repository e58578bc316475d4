package send

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"reflect"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/destination"
)

// classify returns the outcome that err stands for, and a clause for the tenant that says what
// happened. The clause consists of fixed texts, and of the endpoint's own URL and certificate. It must not contain the text of
// err, which may name addresses of this node and of name servers, or repeat what the receiver sent.
func classify(err error, t *trace) (bellwire.Outcome, string) {
	if dialled := t.failedDial(); dialled != nil && errors.Is(err, destination.ErrBlocked) {
		err = dialled // another address of the host is allowed, and its error says more
	}
	var (
		dns     *net.DNSError
		timeout interface{ Timeout() bool }
	)
	switch {
	case errors.Is(err, destination.ErrBlocked):
		// The address is not named: it could tell a tenant about the platform's own hosts.
		return bellwire.OutcomeBlocked, "the host's address is private or otherwise special, and deliveries may not reach it unless an operator allows its network"
	case t.turnedAway():
		return bellwire.OutcomeReset, fmt.Sprintf("the endpoint accepted %d connections one after another, and took the request on none of them", maxMade)
	case errors.As(err, &dns):
		return bellwire.OutcomeDNS, fmt.Sprintf("the host name %q could not be resolved: %s", t.host, dnsCause(dns))
	case t.resolving():
		return bellwire.OutcomeDNS, fmt.Sprintf("the host name %q could not be resolved: the name server did not answer in time", t.host)
	case errors.Is(err, context.DeadlineExceeded) || errors.As(err, &timeout) && timeout.Timeout():
		return bellwire.OutcomeTimeout, "the deadline passed while " + t.phaseName() + t.earlier()
	case errors.Is(err, errUntaken) && t.twice():
		return bellwire.OutcomeReset, "the endpoint refused the request, or closed the connection before taking it, twice"
	}
	if cause := t.tlsCause(err); cause != "" {
		return bellwire.OutcomeTLS, cause
	}
	switch {
	case brokenOff(err):
		return bellwire.OutcomeReset, "the connection broke off while " + t.phaseName() + because(err)
	case !t.isConnected():
		return bellwire.OutcomeConnect, "no connection could be made" + because(err)
	}
	return bellwire.OutcomeProtocol, t.protocolCause(err)
}

// statusCause returns what an endpoint answered instead of an acknowledgement.
func statusCause(code int) string {
	answered := "the endpoint answered " + strings.TrimSpace(strconv.Itoa(code)+" "+http.StatusText(code))
	switch code / 100 {
	case 2:
		return answered + ", which does not acknowledge deliveries"
	case 3:
		return answered + "; redirects are not followed"
	}
	return answered
}

// bodyCause returns why the body of an answer is incomplete.
func bodyCause(err error) string {
	switch {
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded):
		return "the body did not end in time, and the rest was not read"
	case brokenOff(err):
		return "the body broke off" + because(err)
	}
	return "the body is not valid HTTP"
}

// dnsCause returns the class of an error in name resolution. The error itself names the resolver and the address of this node.
func dnsCause(err *net.DNSError) string {
	switch {
	case err.IsNotFound:
		return "no such host"
	case err.IsTimeout:
		return "the name server did not answer in time"
	}
	return "the name server failed"
}

// because returns the cause of an error after a colon, or "" if it is not known.
func because(err error) string {
	var number syscall.Errno
	if errors.As(err, &number) {
		return ": " + number.Error()
	}
	if code, ok := http2Code(err); ok {
		return ": the endpoint ended it with " + code
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return ": the endpoint closed it"
	}
	return ""
}

func brokenOff(err error) bool {
	var stream streamError
	if errors.As(err, &stream) {
		return stream.deliberate()
	}
	return isGoAway(err) || errors.Is(err, errUntaken) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) ||
		errors.Is(err, io.ErrClosedPipe) || errors.Is(err, net.ErrClosed) || errors.Is(err, os.ErrClosed) ||
		errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.ECONNABORTED) || errors.Is(err, syscall.EPIPE)
}

// protocolCause returns how an endpoint violates HTTP.
func (t *trace) protocolCause(err error) string {
	code, ok := http2Code(err)
	switch {
	case ok:
		return "the endpoint does not speak valid HTTP/2: " + code
	case t.isShared():
		return "the endpoint does not speak valid HTTP/2"
	case t.flooded():
		return fmt.Sprintf("the endpoint's answer has headers of more than %d KiB", maxResponseHeaders>>10)
	}
	return "the endpoint's answer is not valid HTTP"
}

// tlsCause returns what is wrong with the endpoint's TLS, or "" if TLS is not at fault.
func (t *trace) tlsCause(err error) string {
	var (
		verification *tls.CertificateVerificationError
		record       tls.RecordHeaderError
		remote       *net.OpError
	)
	asked := t.askedForCertificate()
	switch {
	case errors.As(err, &verification):
		return certificateCause(verification.Err, t.host)
	case errors.As(err, &record):
		if string(record.RecordHeader[:]) == "HTTP/" {
			return "the endpoint answered in HTTP without TLS: the URL must begin with http://, or name another port"
		}
		return "the TLS handshake failed: what the endpoint sent is not TLS"
	case errors.As(err, &remote) && remote.Op == "remote error":
		return "the TLS handshake failed: " + alertCause(remote.Err, asked)
	case !t.inHandshake() && !(asked && t.unanswered(err)):
		return ""
	case asked:
		return "the TLS handshake failed: " + wantsCertificate
	case brokenOff(err):
		return "the TLS handshake failed: the connection broke off" + because(err)
	}
	return "the TLS handshake failed: what the endpoint sent is not valid TLS 1.2 or 1.3"
}

// unanswered reports whether the connection ended without an answer, and without an error code of HTTP/2. In TLS 1.3 an endpoint
// rejects a client after the handshake, and its alert may be lost with the connection.
func (t *trace) unanswered(err error) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	_, said := http2Code(err)
	return t.firstByte == 0 && !said
}

const wantsCertificate = "the endpoint asks for a client certificate, which deliveries do not have"

// alertCause returns the meaning of an alert that the endpoint sent (RFC 8446, 6). The type in crypto/tls is not exported.
func alertCause(err error, asked bool) string {
	const handshakeFailure, protocolVersion, internalError, unrecognizedName, certificateRequired = 40, 70, 80, 112, 116
	v := reflect.ValueOf(err)
	if v.Kind() != reflect.Uint8 {
		return "the endpoint refused it"
	}
	switch code := v.Uint(); {
	case code == certificateRequired || asked:
		return wantsCertificate
	case code == handshakeFailure:
		return "handshake failure: the endpoint supports none of the offered versions and cipher suites"
	case code == protocolVersion:
		return "the endpoint does not know TLS 1.2 or 1.3"
	case code == internalError:
		return "internal error of the endpoint"
	case code == unrecognizedName:
		return "the endpoint does not serve this host name"
	default:
		return "the endpoint refused it with the alert " + strconv.Quote(strings.TrimPrefix(tls.AlertError(code).Error(), "tls: "))
	}
}

// certificateCause returns why a certificate was not accepted for a host.
func certificateCause(err error, host string) string {
	var (
		name      x509.HostnameError
		authority x509.UnknownAuthorityError
		invalid   x509.CertificateInvalidError
	)
	switch {
	case errors.As(err, &name):
		return fmt.Sprintf("the endpoint's certificate is not for the host %q", host)
	case errors.As(err, &authority):
		return "the endpoint's certificate is signed by an unknown authority, or an intermediate certificate is missing"
	case !errors.As(err, &invalid):
		return "the endpoint's certificate could not be verified"
	case invalid.Reason == x509.Expired && invalid.Cert.NotAfter.Before(time.Now()):
		return "the endpoint's certificate expired on " + invalid.Cert.NotAfter.UTC().Format(time.DateOnly)
	case invalid.Reason == x509.Expired:
		return "the endpoint's certificate is not valid before " + invalid.Cert.NotBefore.UTC().Format(time.DateOnly)
	}
	return "the endpoint's certificate, or one that signed it, is not made for this use"
}

// streamError is filled in by errors.As from the unexported error type of net/http's HTTP/2, which has fields of the same names.
type streamError struct {
	StreamID uint32
	Code     uint32 // RFC 9113, 7
	Cause    error
}

func (e streamError) Error() string { return fmt.Sprintf("the stream ended with code %d", e.Code) }

// deliberate reports whether a peer ends a stream with this code because it wants to. With the other codes, either side reports a
// violation of HTTP/2.
func (e streamError) deliberate() bool {
	const protocol, flowControl, streamClosed, frameSize, compression = 1, 3, 5, 6, 9
	switch e.Code {
	case protocol, flowControl, streamClosed, frameSize, compression:
		return false
	}
	return true
}

// isGoAway reports whether a receiver ended the connection with a GOAWAY frame. The error type of net/http's HTTP/2 is not
// exported, and does not support errors.As.
func isGoAway(err error) bool {
	v := reflect.ValueOf(err)
	return v.Kind() == reflect.Struct && v.FieldByName("LastStreamID").IsValid() && v.FieldByName("ErrCode").IsValid()
}

// http2Codes are the names of error codes (RFC 9113, 7), by number.
var http2Codes = []string{
	"NO_ERROR", "PROTOCOL_ERROR", "INTERNAL_ERROR", "FLOW_CONTROL_ERROR", "SETTINGS_TIMEOUT", "STREAM_CLOSED", "FRAME_SIZE_ERROR",
	"REFUSED_STREAM", "CANCEL", "COMPRESSION_ERROR", "CONNECT_ERROR", "ENHANCE_YOUR_CALM", "INADEQUATE_SECURITY", "HTTP_1_1_REQUIRED",
}

// http2Code returns the name of the HTTP/2 error code that ended a stream or a connection.
func http2Code(err error) (name string, ok bool) {
	var stream streamError
	if errors.As(err, &stream) {
		return codeName(uint64(stream.Code)), true
	}
	if isGoAway(err) {
		return codeName(reflect.ValueOf(err).FieldByName("ErrCode").Uint()), true
	}
	for ; err != nil; err = errors.Unwrap(err) {
		if v := reflect.ValueOf(err); v.Kind() == reflect.Uint32 { // a connection's error is its code
			return codeName(v.Uint()), true
		}
	}
	return "", false
}

func codeName(code uint64) string {
	if code < uint64(len(http2Codes)) {
		return http2Codes[code]
	}
	return "the code " + strconv.FormatUint(code, 10)
}
