package receive

import (
	"context"
	"errors"
	"io"
	"net/http"
)

// DefaultMaxBody is the largest body, in bytes, that a Handler reads unless it has another limit.
const DefaultMaxBody = 4 << 20

// Handler serves one endpoint: it reads a delivery, verifies it and passes it to Deliver. It answers
//
//   - 200 when Deliver returns nil: the delivery is acknowledged, and not sent again, in every dialect;
//   - 500 when Deliver returns an error: the delivery is sent again later;
//   - 401 if the signature, the token or the time is wrong, 400 if the request is not a delivery, 413 if its body exceeds
//     MaxBody, and 405 if its method is not POST. The answer says why; senders show it in their logs.
//
// The same event can arrive more than once. Deliver recognizes it by Delivery.ID, if the dialect has one.
type Handler struct {
	Verifier Verifier
	// Deliver processes a verified delivery. The sender waits for it: put work that takes more than a few seconds into
	// a queue.
	Deliver func(ctx context.Context, d *Delivery) error
	// MaxBody is the largest body that is read, in bytes; 0 means DefaultMaxBody.
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
		http.Error(w, err.Error(), statusOf(err))
		return
	}
	if err := h.Deliver(r.Context(), d); err != nil {
		// The error may hold details that are not for the sender, and Deliver's author has it already.
		http.Error(w, "the delivery could not be processed", http.StatusInternalServerError)
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
	return h.Verifier.Verify(r.Header, body)
}

// statusOf returns the status that refuses a request.
func statusOf(err error) int {
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return http.StatusRequestEntityTooLarge
	case errors.Is(err, ErrSignature), errors.Is(err, ErrTimestamp):
		return http.StatusUnauthorized
	}
	return http.StatusBadRequest
}
