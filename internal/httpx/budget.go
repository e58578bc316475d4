package httpx

import (
	"io"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/bellwire/bellwire"
)

// freeBytes is what each body may have without being counted: most are smaller.
const freeBytes = 16 << 10

// Budget bounds the memory of all bodies that are being received, or sent, at the same time, so that many
// clients who each keep to their limit cannot use up the server's together.
type Budget struct{ left atomic.Int64 }

// NewBudget makes a budget of so many bytes.
func NewBudget(bytes int64) *Budget {
	b := new(Budget)
	b.left.Store(bytes)
	return b
}

// Take takes bytes from the budget, until they are given back. CodeUnavailable: it has not enough.
func (b *Budget) Take(bytes int64) error {
	if b.left.Add(-bytes) >= 0 {
		return nil
	}
	b.Give(bytes)
	return &bellwire.Error{
		Code:       bellwire.CodeUnavailable,
		Message:    "Too many large bodies are on their way at the same time; try again.",
		RetryAfter: time.Second,
	}
}

// Give gives back what was taken.
func (b *Budget) Give(bytes int64) { b.left.Add(bytes) }

// Hold counts what is read of r's body from now on, until release is called. Where the budget is spent, reading
// fails with CodeUnavailable.
func (b *Budget) Hold(r *http.Request) (release func()) {
	if r.ContentLength >= 0 && r.ContentLength <= freeBytes {
		return func() {}
	}
	body := &heldBody{ReadCloser: r.Body, budget: b}
	r.Body = body
	return func() {
		r.Body = body.ReadCloser // net/http looks at it when the answer is done
		b.Give(body.held)
	}
}

// heldBody is a body whose bytes are counted. It is used by one goroutine, the handler's.
type heldBody struct {
	io.ReadCloser
	budget *Budget
	read   int64
	held   int64
}

// Read takes the bytes from the budget before it hands them out.
func (h *heldBody) Read(p []byte) (int, error) {
	n, err := h.ReadCloser.Read(p)
	h.read += int64(n)
	if more := h.read - freeBytes - h.held; more > 0 {
		if err := h.budget.Take(more); err != nil {
			return 0, err
		}
		h.held += more
	}
	return n, err
}
