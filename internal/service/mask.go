package service

import "github.com/bellwire/bellwire/internal/bellwire"

// hideURL redacts the secrets of the URL in an attempt, also where the response repeats them.
func hideURL(a *bellwire.Attempt) {
	masked, hidden := bellwire.MaskURL(a.Request.URL)
	a.Request.URL = masked
	a.Error = bellwire.HideIn(a.Error, hidden)
	if a.Response == nil {
		return
	}
	hide := bellwire.HideIn
	if a.Response.Truncated {
		hide = bellwire.HideInCut
	}
	a.Response.Body = []byte(hide(string(a.Response.Body), hidden))
	for i := range a.Response.Headers {
		h := &a.Response.Headers[i]
		h.Value = bellwire.HideIn(h.Value, hidden)
	}
}
