package bluefin_test

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/dialect/bluefin"
	"github.com/bellwire/bellwire/internal/dialecttest"
	"github.com/bellwire/bellwire/internal/service"
)

const (
	account = "120000000007"
	foreign = "120000000015"
	nobodys = "120000000023"

	webhooks = "/api/v4/accounts/" + account + "/webhooks"
	updates  = "/api/v4/accounts/" + account + "/account-updater/updates/"
)

// signed is a request to sign. It is written from the vendor's description, without the code under test.
type signed struct {
	id, secret     string
	method, target string
	body           string
	nonce          string // made if empty
	at             int64  // now if 0
}

// header returns the value of the Authorization header.
func (s signed) header() string {
	if s.nonce == "" {
		var random [32]byte
		rand.Read(random[:])
		s.nonce = hex.EncodeToString(random[:])
	}
	if s.at == 0 {
		s.at = time.Now().Unix()
	}
	hash := sha256.New()
	hash.Write([]byte(s.body))
	canonical := s.method + " " + s.target + "\n" + s.nonce + "\n" + fmt.Sprint(s.at) + "\n" + "\n" + hex.EncodeToString(hash.Sum(nil))
	mac := hmac.New(sha256.New, []byte(s.secret))
	mac.Write([]byte(canonical))
	return fmt.Sprintf(`Hmac id="%s", nonce="%s", timestamp="%d", response="%x"`, s.id, s.nonce, s.at, mac.Sum(nil))
}

// apiKeyID returns a key's id in the form of PayConex.
func apiKeyID(k dialecttest.Key) string { return "api_" + hex.EncodeToString(k.ID[:]) }

func authorize(r *http.Request, body []byte, k dialecttest.Key) {
	s := signed{id: apiKeyID(k), secret: k.Secret, method: r.Method, target: r.URL.RequestURI()}
	if r.Method == http.MethodPost || r.Method == http.MethodPatch {
		s.body = string(body)
	}
	r.Header.Set("Authorization", s.header())
}

// newWorld also has an operator's key that can sign.
func newWorld(t testing.TB, basic bool) *dialecttest.World {
	t.Helper()
	d := bluefin.Dialect{PublicURL: publicURL, Basic: basic}
	w := dialecttest.New(t, dialecttest.Config{
		Dialect:   d,
		Front:     func(svc *service.Service) http.Handler { return d.Front(svc, nil) },
		Authorize: authorize, Catalogue: bluefin.Catalogue, Tenant: account, Other: foreign,
	})
	for name, role := range map[string]bellwire.Role{"operator": bellwire.RoleAdmin, "signing publisher": bellwire.RolePublisher} {
		made, secret, err := w.Service.CreateKey(t.Context(), dialecttest.Admin, "", service.NewKey{Role: role, HMAC: true})
		if err != nil {
			t.Fatal(err)
		}
		w.Keys[name] = dialecttest.Key{ID: made.ID, Secret: secret}
	}
	return w
}

// The vendor's errors.
const (
	badRequest      = `{"message":"Invalid request. Please check the input parameters and try again.","traceId":"<uuid>","errorType":"invalid_request","errorCode":40001,"value":"Invalid Input","source":"request","details":[]}`
	unauthenticated = `{"message":"Unauthenticated","traceId":"<uuid>","errorType":"authentication","errorCode":40002,"value":"Authorization","source":"headers","details":[]}`
	unauthorized    = `{"message":"Unauthorized","traceId":"<uuid>","errorType":"authorization","errorCode":40003,"value":"Authorization","source":"headers","details":[]}`
)

// notFound is the error of the routes of one webhook.
func notFound(id string) string {
	return `{"message":"Not Found","traceId":"<uuid>","errorType":"not_found","errorCode":40005,"value":"` + id + `","source":null,"details":[]}`
}

// noEntity is the error of the routes of the collection.
func noEntity(id string) string {
	return `{"message":"The requested entity was not found","traceId":"<uuid>","errorType":"not_found","errorCode":40005,"value":"` + id + `","source":"request","details":[]}`
}

// invalid is the error of a request that is not valid, at the routes of a collection. faults are source and text of each.
func invalid(faults ...string) string {
	return unprocessable(faults, `{"message":"%[2]s","source":"%[1]s","value":null}`)
}

// invalidItem is invalid at the routes of one webhook.
func invalidItem(faults ...string) string {
	return unprocessable(faults, `{"detail":"%[2]s","source":"%[1]s"}`)
}

func unprocessable(faults []string, form string) string {
	var details []string
	for pair := range slices.Chunk(faults, 2) {
		details = append(details, fmt.Sprintf(form, pair[0], pair[1]))
	}
	return `{"message":"Invalid Input","traceId":"<uuid>","errorType":"invalid_request","errorCode":40001,"value":"The request contained invalid data","source":"request","details":[` +
		strings.Join(details, ",") + `]}`
}
