package lanes

import "time"

// window is an endpoint's limit of requests in flight. It starts small, grows while answers come quickly, and shrinks when
// attempts fail or answers take longer than before, so that a receiver that slows down gets fewer requests.
type window struct {
	size  float64
	max   int
	base  time.Duration // quick latency of this endpoint; 0: none seen
	eased bool          // whether it has shrunk once, and so grows slowly
}

const (
	initialWindow = 1 // until the first answer, so that hanging endpoints hold as little as possible
	// An answer is slow if it takes this much longer than the quick ones did.
	slowFactor = 4
	slowMargin = 100 * time.Millisecond
)

func newWindow(limit int) window { return window{size: initialWindow, max: limit} }

func (w *window) limit() int { return max(1, min(int(w.size), w.max)) }

// succeeded records an acknowledged request. The window grows only if it was full.
func (w *window) succeeded(latency time.Duration, full bool) {
	if w.base == 0 || latency < w.base {
		w.base = latency
	} else {
		w.base += (latency - w.base) / 256 // follow a lasting change, slowly
	}
	switch {
	case latency > slowFactor*w.base+slowMargin:
		w.size = max(1, w.size*0.9)
		w.eased = true
	case !full:
	case w.eased:
		w.size = min(w.size+1/w.size, float64(w.max))
	default:
		w.size = min(w.size+1, float64(w.max))
	}
}

func (w *window) failed() {
	w.size = max(1, w.size/2)
	w.eased = true
}

// restart resets the window to that of a new endpoint.
func (w *window) restart() { *w = newWindow(w.max) }
