package sign

import (
	"crypto/hmac"
	"crypto/sha256"
	"fmt"
)

// PayConex returns the HMAC-SHA256 that requests to Bluefin's PayConex API are signed with: what their Authorization
// header has in hex as its response. The target is the request's path with its query, the timestamp the decimal text of
// the header, and the body exactly what is sent. The scheme is that of Bluefin's own samples
// (https://github.com/bluefin-developer-portal/dev-portal-assets, "HMAC Generator").
func PayConex(secret, method, target, nonce, timestamp string, body []byte) []byte {
	mac := hmac.New(sha256.New, []byte(secret))
	fmt.Fprintf(mac, "%s %s\n%s\n%s\n\n%x", method, target, nonce, timestamp, sha256.Sum256(body)) // a hash takes all
	return mac.Sum(nil)
}
