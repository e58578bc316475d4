package receive

import (
	"context"
	"errors"
	"io"
	"net/http"
	"time"
)

// DefaultMaxBody is the most bytes of a body that a Handler reads unless it says otherwise.
const DefaultMaxBody = 4 << 20

// Handler serves one endpoint: it reads a delivery's body, verifies it and hands it on. It answers
//
//   - 200 when Deliver has returned nil: the delivery is acknowledged and not sent again, in every dialect;
//   - 500 when Deliver has returned an error: it is sent again later;
//   - 401 to what fails verification, 400 to what is no delivery, 413 to a body over MaxBody, 405 to what
//     is not a POST. The answer's text says why; senders show it in their logs.
//
// The same event can arrive more than once. Deliver tells by Delivery.ID.
type Handler struct {
	Verifier Verifier
	// Deliver processes a verified delivery. The sender waits for it: what takes more than a few seconds
	// belongs into a queue of the receiver's own.
	Deliver func(ctx context.Context, d *Delivery) error
	// MaxBody is the most bytes of a body that are read; 0: DefaultMaxBody.
	MaxBody int64
}

// ServeHTTP serves one delivery.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		http.Error(w, "deliveries are sent with POST", http.StatusMethodNotAllowed)
		return
	}
	d, err := h.read(w, r)
	if err != nil {
		http.Error(w, err.Error(), refusal(err))
		return
	}
	if err := h.Deliver(r.Context(), d); err != nil {
		// The error may say what is no business of the sender's. Deliver's author has it already.
		http.Error(w, "the delivery is good, but could not be processed now", http.StatusInternalServerError)
		return
	}
	w.WriteHeader(http.StatusOK)
}

func (h *Handler) read(w http.ResponseWriter, r *http.Request) (*Delivery, error) {
	limit := h.MaxBody
	if limit <= 0 {
		limit = DefaultMaxBody
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, limit))
	if err != nil {
		return nil, err
	}
	return h.Verifier.Verify(r.Header, body, time.Now())
}

// refusal returns the status for a request that is not taken.
func refusal(err error) int {
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return http.StatusRequestEntityTooLarge
	case errors.Is(err, ErrSignature), errors.Is(err, ErrTimestamp):
		return http.StatusUnauthorized
	}
	return http.StatusBadRequest
}
