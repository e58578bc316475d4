package verify

import (
	"errors"
	"strings"

	"github.com/bellwire/bellwire/receive"
)

// checkToken checks a delivery of a dialect that sends a token, and does not sign.
func checkToken(q *Question) []Finding {
	var refused error
	for _, secret := range q.Secrets {
		err := q.accepts(secret)
		if err == nil {
			return nil
		}
		// A body that is not read is the answer only if the token is right; other errors are the same for each secret.
		if refused == nil || errors.Is(err, receive.ErrBody) {
			refused = err
		}
	}
	var malformed errSecret
	switch {
	case errors.As(refused, &malformed):
		return []Finding{malformedSecret(malformed)}
	case errors.Is(refused, receive.ErrHeader):
		return []Finding{missingHeader(q, refused)}
	case errors.Is(refused, receive.ErrBody):
		return []Finding{unreadBody(refused)}
	}
	for _, secret := range q.Secrets {
		if cleaned := trimmed(secret); cleaned != secret && q.accepts(cleaned) == nil {
			return []Finding{around}
		}
	}
	if q.anyAccepted(q.Endpoint) {
		return []Finding{replaced}
	}
	return []Finding{{
		Mistake: MistakeSecret,
		Found:   strings.TrimPrefix(refused.Error(), receive.ErrSignature.Error()+": "),
		Fix:     "Compare it with what the endpoint's API shows. If it was replaced, accept both until no delivery has the old one.",
	}}
}
