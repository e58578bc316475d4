package test

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/bellwire/bellwire/receive"
)

// This file is written from the vendors' documents. It uses nothing of the code under test.

// vendor is a dialect as its customers see it.
type vendor struct {
	name string
	// authorize adds the account's credentials to a request to the management API.
	authorize func(a *account, r *http.Request, body string)
	// make returns the request that creates an endpoint for some events. madeID and madeSecret are the paths of its id and
	// secret in the answer.
	make               func(a *account, url string, events []string) (method, target, body string)
	madeID, madeSecret []string
	// list returns the path of the list of endpoints for an event.
	list func(a *account, event string) string
	// headers are the headers of a delivery, except Content-Type and those of every HTTP client.
	headers []string
	// body matches the body of a delivery, byte for byte.
	body *regexp.Regexp
	// proof checks the signature or the credentials of a delivery.
	proof    func(h *hit, ep *subscription) error
	verifier func(ep *subscription) (receive.Verifier, error)
	// acknowledged reports whether the vendor counts a status as an acknowledgement.
	acknowledged func(status int) bool
	// flat is set if the fields of the data are beside the vendor's own.
	flat bool
}

const (
	settlement = "PAYCONEX_BATCH_SETTLEMENT" // an event type that every dialect can subscribe to
	updates    = "ACCOUNT_UPDATER_BATCH_UPDATES"
	cards      = "card.created"

	accountID  = "120000000007"
	publicURL  = "https://hooks.example.test"
	jwtSecret  = "a shared secret that has 32 bytes"
	audience   = "webhooks.example.test"
	azakawKey  = "a-key-of-the-customer"
	uuidForm   = `[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`
	microsForm = `\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}`
)

// everyDialect are the options of a server with all dialects.
var everyDialect = append([]string{
	"--public-url", publicURL, "--akkuro-jwt-secret", jwtSecret, "--akkuro-jwt-audience", audience,
}, local...)

// vendors are ordered so that an endpoint can move from each to the next.
var vendors = []*vendor{
	{
		name:      "standard",
		authorize: func(a *account, r *http.Request, _ string) { r.Header.Set("Authorization", "Bearer "+a.key.Secret) },
		make: func(a *account, url string, events []string) (string, string, string) {
			return "POST", "/api/v1/tenants/" + a.id + "/endpoints", object("url", url, "events", events)
		},
		madeID: []string{"id"}, madeSecret: []string{"secret"},
		list:         func(a *account, _ string) string { return "/api/v1/tenants/" + a.id + "/endpoints" },
		headers:      []string{"Webhook-Id", "Webhook-Timestamp", "Webhook-Signature"},
		body:         regexp.MustCompile(`(?s)^\{"type":"(?P<type>[^"]+)","timestamp":"(?P<at>[0-9T:.-]+Z)","data":(?P<data>.*)\}$`),
		proof:        verifyStandard,
		verifier:     func(ep *subscription) (receive.Verifier, error) { return receive.Standard(ep.secret) },
		acknowledged: func(status int) bool { return status/100 == 2 },
	},
	{
		name: "akkuro",
		authorize: func(a *account, r *http.Request, _ string) {
			r.Header.Set("Authorization", "Bearer "+a.jwt())
			r.Header.Set("Accept", "application/json;api-version=2024.1.0")
		},
		make: func(_ *account, url string, events []string) (string, string, string) {
			return "POST", akkuroPath(events[0]), object("uri", url)
		},
		madeID: []string{"id"}, madeSecret: []string{"token"},
		list:    func(_ *account, event string) string { return akkuroPath(event) },
		headers: []string{"X-Event-Token"},
		body: regexp.MustCompile(`(?s)^\{"meta":\{"id":"(?P<id>` + uuidForm + `)","eventName":"(?P<type>[^"]+)","eventEndpointUri":"(?P<uri>[^"]+)",` +
			`"occurredOn":"(?P<at>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z)"\},"data":(?P<data>.*)\}$`),
		proof: func(h *hit, ep *subscription) error {
			if token := h.header.Get("X-Event-Token"); token != ep.secret {
				return fmt.Errorf("X-Event-Token is %q, not %q", token, ep.secret)
			}
			return nil
		},
		verifier:     func(ep *subscription) (receive.Verifier, error) { return receive.Akkuro(ep.secret) },
		acknowledged: func(status int) bool { return status/100 == 2 },
	},
	{
		name: "atelio",
		authorize: func(a *account, r *http.Request, _ string) {
			r.Header.Set("Identity", bareUUID(a.key.ID))
			r.Header.Set("Authorization", a.key.Secret)
		},
		make: func(_ *account, url string, events []string) (string, string, string) {
			return "POST", "/api/v0.1/webhooks", object("url", url, "events", events)
		},
		madeID: []string{"webhook_subscription", "id"}, madeSecret: []string{"webhook_subscription", "secret"},
		list:    func(*account, string) string { return "/api/v0.1/webhooks" },
		headers: []string{"Bond-Signature"},
		body: regexp.MustCompile(`(?s)^\{"event": "(?P<type>[^"]+)"(?:, (?P<data>.*))?, "occurred_at": "(?P<at>` +
			microsForm + `\+00:00)"\}$`),
		proof:        verifyAtelio,
		verifier:     func(ep *subscription) (receive.Verifier, error) { return receive.Atelio(ep.secret) },
		acknowledged: func(status int) bool { return status == 200 || status == 201 },
		flat:         true,
	},
	{
		name:      "azakaw",
		authorize: func(a *account, r *http.Request, _ string) { r.Header.Set("Authorization", "Bearer "+a.key.Secret) },
		make: func(_ *account, url string, _ []string) (string, string, string) {
			return "POST", "/webhooks", object("webhookBaseUrl", url, "authType", "ApiKey", "authSettings", map[string]string{"apiKey": azakawKey})
		},
		madeID:  []string{"result", "id"},
		list:    func(*account, string) string { return "/webhooks" },
		headers: []string{"X-Api-Key"},
		body:    regexp.MustCompile(`(?s)^\{"Type":"(?P<type>[^"]+)"(?:,(?P<data>.*))?\}$`),
		proof: func(h *hit, _ *subscription) error {
			if key := h.header.Get("X-API-Key"); key != azakawKey {
				return fmt.Errorf("X-API-Key is %q", key)
			}
			return nil
		},
		verifier:     func(*subscription) (receive.Verifier, error) { return receive.AzakawAPIKey("", azakawKey) },
		acknowledged: func(status int) bool { return status/100 == 2 },
		flat:         true,
	},
	{
		name: "lemon",
		authorize: func(a *account, r *http.Request, _ string) {
			r.Header.Set("Authorization", "Bearer "+a.key.Secret)
			r.Header.Set("LMG-Data-Privacy-Access-Principal", "nobody")
			r.Header.Set("LMG-Data-Privacy-Access-Justification", "webhook-test")
		},
		make: func(_ *account, url string, events []string) (string, string, string) {
			return "POST", "/v1/webhooks", object("url", url, "events", events)
		},
		madeID: []string{"id"}, madeSecret: []string{"signature_secret"},
		list:    func(*account, string) string { return "/v1/webhooks" },
		headers: []string{"Lmg-Signature"},
		body: regexp.MustCompile(`(?s)^\{"id":"(?P<id>evt_[0-9a-f]{32})","type":"(?P<type>[^"]+)","created_at":"(?P<at>` +
			microsForm + `\+00:00)","context":(?P<data>.*)\}$`),
		proof:        verifyLemon,
		verifier:     func(ep *subscription) (receive.Verifier, error) { return receive.Lemon(ep.secret) },
		acknowledged: func(status int) bool { return status/100 == 2 },
	},
	{
		name:      "bluefin",
		authorize: func(a *account, r *http.Request, body string) { r.Header.Set("Authorization", a.hmac(r, body)) },
		make: func(a *account, url string, events []string) (string, string, string) {
			return "POST", bluefinPath(a), object("url", url, "event", events[0])
		},
		madeID: []string{"id"},
		list:   func(a *account, _ string) string { return bluefinPath(a) },
		body: regexp.MustCompile(`(?s)^\{"id":"(?P<notification>not_[0-9a-f]{32})","wbhid":"(?P<webhook>[^"]+)","event":"(?P<type>[^"]+)",` +
			`"payload":(?P<data>.*)\}$`),
		proof: func(h *hit, ep *subscription) error {
			if webhook := ep.vendor.parts(h.body)["webhook"]; webhook != ep.id {
				return fmt.Errorf("wbhid is %q, not %q", webhook, ep.id)
			}
			return nil
		},
		verifier:     func(ep *subscription) (receive.Verifier, error) { return receive.Bluefin(ep.id) },
		acknowledged: func(status int) bool { return status/100 == 2 },
	},
}

func vendorOf(name string) *vendor {
	return vendors[slices.IndexFunc(vendors, func(v *vendor) bool { return v.name == name })]
}

func akkuroPath(event string) string { return "/payconex/events/" + event + "/endpoints" }

func bluefinPath(a *account) string { return "/api/v4/accounts/" + a.id + "/webhooks" }

// parts returns the parts of a body, and nil if it does not have the vendor's form.
func (v *vendor) parts(body string) map[string]string {
	match := v.body.FindStringSubmatch(body)
	if match == nil {
		return nil
	}
	parts := make(map[string]string)
	for i, name := range v.body.SubexpNames() {
		parts[name] = match[i]
	}
	if v.flat {
		parts["data"] = "{" + parts["data"] + "}"
	}
	return parts
}

// subscription is an endpoint as its customer sees it.
type subscription struct {
	vendor     *vendor
	id, secret string
	path       string // of the URL at the customer
}

// account is a tenant with a key of its own.
type account struct {
	t      *testing.T
	server *server
	id     string
	key    struct{ ID, Secret string }
}

// openAccountWithKey creates the tenant and its key.
func openAccountWithKey(t *testing.T, s *server) *account {
	t.Helper()
	a := &account{t: t, server: s, id: accountID}
	s.call("POST", "/tenants", object("id", a.id), nil)
	s.call("POST", "/tenants/"+a.id+"/keys", `{"role": "tenant", "hmac": true}`, &a.key)
	return a
}

// openAccount creates the tenant, its key, and the event types of most of these tests.
func openAccount(t *testing.T, s *server) *account {
	t.Helper()
	a := openAccountWithKey(t, s)
	for _, name := range []string{settlement, updates, cards} {
		s.call("PUT", "/event-types/"+name, `{"group": "payconex"}`, nil)
	}
	return a
}

// ask sends a request to a vendor's management API.
func (a *account) ask(v *vendor, method, target, body string) (status int, answer string) {
	a.t.Helper()
	r, err := http.NewRequestWithContext(a.t.Context(), method, a.server.url+target, strings.NewReader(body))
	if err != nil {
		a.t.Fatal(err)
	}
	v.authorize(a, r, body)
	resp, err := apiClient.Do(r)
	if err != nil {
		a.t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		a.t.Fatal(err)
	}
	return resp.StatusCode, string(text)
}

// must is ask for a request that must succeed.
func (a *account) must(v *vendor, method, target, body string) string {
	a.t.Helper()
	status, answer := a.ask(v, method, target, body)
	if status >= 300 {
		a.t.Fatalf("%s: %s %s answered %d: %s", v.name, method, target, status, answer)
	}
	return answer
}

// subscribe creates an endpoint for some events through the vendor's API.
func (a *account) subscribe(v *vendor, in *inbox, path string, events ...string) *subscription {
	a.t.Helper()
	method, target, body := v.make(a, in.url+path, events)
	answer := a.must(v, method, target, body)
	ep := &subscription{vendor: v, path: path, id: member(a.t, answer, v.madeID...)}
	if v.madeSecret != nil {
		ep.secret = member(a.t, answer, v.madeSecret...)
	}
	return ep
}

// patch changes an endpoint through the native API.
func (a *account) patch(endpoint, body string) {
	a.t.Helper()
	a.server.call("PATCH", "/tenants/"+a.id+"/endpoints/"+endpoint, body, nil)
}

// jwt returns a signed JSON Web Token (RFC 7515).
func (a *account) jwt() string {
	encode := func(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }
	input := encode(`{"alg":"HS256","typ":"JWT"}`) + "." +
		encode(fmt.Sprintf(`{"aud":%q,"tenant":%q,"exp":%d}`, audience, a.id, time.Now().Add(time.Hour).Unix()))
	return input + "." + base64.RawURLEncoding.EncodeToString(mac(jwtSecret, input))
}

// hmac signs a request as Bluefin's own samples do.
func (a *account) hmac(r *http.Request, body string) string {
	var nonce [32]byte
	rand.Read(nonce[:])
	hash := sha256.Sum256([]byte(body))
	now := strconv.FormatInt(time.Now().Unix(), 10)
	canonical := r.Method + " " + r.URL.RequestURI() + "\n" + hex.EncodeToString(nonce[:]) + "\n" + now + "\n\n" + hex.EncodeToString(hash[:])
	return fmt.Sprintf(`Hmac id="api_%s", nonce="%x", timestamp="%s", response="%x"`,
		strings.TrimPrefix(a.key.ID, "key_"), nonce, now, mac(a.key.Secret, canonical))
}

func mac(key, text string) []byte {
	m := hmac.New(sha256.New, []byte(key))
	m.Write([]byte(text))
	return m.Sum(nil)
}

// bareUUID returns the UUID form of a Bellwire id.
func bareUUID(id string) string {
	_, h, _ := strings.Cut(id, "_")
	return strings.Join([]string{h[:8], h[8:12], h[12:16], h[16:20], h[20:]}, "-")
}

// verifyStandard verifies a delivery by the specification at https://www.standardwebhooks.com.
func verifyStandard(h *hit, ep *subscription) error {
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(ep.secret, "whsec_"))
	if err != nil {
		return err
	}
	id, at := h.header.Get("Webhook-Id"), h.header.Get("Webhook-Timestamp")
	want := "v1," + base64.StdEncoding.EncodeToString(mac(string(key), id+"."+at+"."+h.body))
	if got := h.header.Get("Webhook-Signature"); got != want {
		return fmt.Errorf("webhook-signature is %q, not %q", got, want)
	}
	return h.sentAt(at)
}

// verifyLemon uses the text of the secret as the key.
func verifyLemon(h *hit, ep *subscription) error {
	got := h.header.Get("LMG-Signature")
	at := strings.TrimPrefix(strings.Split(got, ",")[0], "t=")
	if want := fmt.Sprintf("t=%s,v1=%x", at, mac(ep.secret, at+"."+h.body)); got != want {
		return fmt.Errorf("LMG-Signature is %q, not %q", got, want)
	}
	return h.sentAt(at)
}

var bondForm = regexp.MustCompile(`^t=(\d+),v1=[0-9a-f]{64},v2=([0-9a-f]{64})$`)

// verifyAtelio checks v2. v1 needs Python: checkInPython checks it for all deliveries at once.
func verifyAtelio(h *hit, ep *subscription) error {
	got := h.header.Get("Bond-Signature")
	form := bondForm.FindStringSubmatch(got)
	if form == nil {
		return fmt.Errorf("Bond-Signature is %q", got)
	}
	if want := hex.EncodeToString(mac(ep.secret, form[1]+"."+h.body)); form[2] != want {
		return fmt.Errorf("v2 of Bond-Signature is %q, not %q", form[2], want)
	}
	return h.sentAt(form[1])
}

// object returns a JSON object of the given names and values.
func object(members ...any) string {
	var all []string
	for pair := range slices.Chunk(members, 2) {
		value, err := json.Marshal(pair[1])
		if err != nil {
			panic(err) // the values are the test's own
		}
		all = append(all, fmt.Sprintf("%q:%s", pair[0], value))
	}
	return "{" + strings.Join(all, ",") + "}"
}

// member returns a text field of an answer, by its path.
func member(t *testing.T, answer string, path ...string) string {
	t.Helper()
	var value any
	if err := json.Unmarshal([]byte(answer), &value); err != nil {
		t.Fatalf("%s: %v", answer, err)
	}
	for _, name := range path {
		inner, ok := value.(map[string]any)
		if !ok {
			t.Fatalf("%s has no %v", answer, path)
		}
		value = inner[name]
	}
	text, ok := value.(string)
	if !ok {
		t.Fatalf("%s has no text %v", answer, path)
	}
	return text
}
