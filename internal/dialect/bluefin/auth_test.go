package bluefin_test

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/bellwire/bellwire/internal/dialecttest"
	"github.com/bellwire/bellwire/internal/testenv"
)

// sign returns a request that the tenant's key signs.
func sign(w *dialecttest.World, method, target, body string) signed {
	k := w.Keys["tenant"]
	return signed{id: apiKeyID(k), secret: k.Secret, method: method, target: target, body: body}
}

// send sends a request with the given Authorization header.
func send(w *dialecttest.World, method, target, body, authorization string) *httptest.ResponseRecorder {
	return w.Call("none", method, target, http.Header{"Authorization": {authorization}}, body)
}

func TestFormsOfKeyIDs(t *testing.T) {
	t.Parallel()
	w := newWorld(t, false)
	k := w.Keys["tenant"]
	digits := hex.EncodeToString(k.ID[:])
	for id, want := range map[string]int{
		"api_" + digits: 200, "key_" + digits: 200, digits: 200, uuid.UUID(k.ID).String(): 200,
		"api_key_" + digits: 401, "api_" + uuid.UUID(k.ID).String(): 401, "api_" + digits[1:]: 401, "api_" + digits + "0": 401,
		"API_" + digits: 401, "api_" + strings.Repeat("0", 32): 401, "evt_" + digits: 401, "api_": 401,
	} {
		t.Run(id, func(t *testing.T) {
			s := sign(w, "GET", webhooks, "")
			s.id = id
			if answer := send(w, "GET", webhooks, "", s.header()); answer.Code != want {
				t.Errorf("%s: %d %s", id, answer.Code, answer.Body)
			}
		})
	}
}

// The signature covers every byte of a request.
func TestSignatureCoversTheRequest(t *testing.T) {
	t.Parallel()
	w := newWorld(t, false)
	const body = `{"url":"https://example.com/","event":"ACCOUNT_UPDATER_BATCH_UPDATES"}`
	for _, tc := range []struct {
		name, method, target, body string
		signed                     func(*signed)
		status                     int
	}{
		{"as it is", "POST", webhooks, body, func(*signed) {}, 201},
		{"with a space more", "POST", webhooks, body + " ", func(s *signed) { s.body = body }, 401},
		{"no body signed", "POST", webhooks, body, func(s *signed) { s.body = "" }, 401},
		{"another method signed", "POST", webhooks, body, func(s *signed) { s.method = "PATCH" }, 401},
		{"method in lower case", "POST", webhooks, body, func(s *signed) { s.method = "post" }, 401},
		{"another account signed", "POST", webhooks, body, func(s *signed) { s.target = "/api/v4/accounts/" + foreign + "/webhooks" }, 401},
		{"another secret", "POST", webhooks, body, func(s *signed) { s.secret += "x" }, 401},
		{"another's id", "POST", webhooks, body, func(s *signed) { s.id = apiKeyID(w.Keys["other"]) }, 401},
		{"query signed", "GET", webhooks + "?page=1&limit=5", "", func(*signed) {}, 200},
		{"query not signed", "GET", webhooks + "?page=1", "", func(s *signed) { s.target = webhooks }, 401},
		{"another query signed", "GET", webhooks + "?page=1", "", func(s *signed) { s.target = webhooks + "?page=2" }, 401},
		{"a query that was not sent", "GET", webhooks, "", func(s *signed) { s.target = webhooks + "?page=1" }, 401},
		{"URL signed whole", "GET", webhooks, "", func(s *signed) { s.target = publicURL + webhooks }, 401},
		{"body of a DELETE is not signed", "DELETE", webhooks + "/wbh_1", "{}", func(s *signed) { s.body = "" }, 404},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := sign(w, tc.method, tc.target, tc.body)
			tc.signed(&s)
			if answer := send(w, tc.method, tc.target, tc.body, s.header()); answer.Code != tc.status {
				t.Errorf("%s: %d %s", tc.name, answer.Code, answer.Body)
			}
		})
	}
}

// The signature covers the path with its escapes.
func TestTargetAsItWasSent(t *testing.T) {
	t.Parallel()
	w := newWorld(t, false)
	server := httptest.NewServer(w.Handler)
	defer server.Close()
	for target, want := range map[string]int{
		webhooks: 200, webhooks + "?": 200, webhooks + "/a%2fb%41~%7e\"": 404, strings.Replace(webhooks, "accounts", "%61ccounts", 1) + "?page=%31": 200,
	} {
		t.Run(target, func(t *testing.T) {
			r, err := http.NewRequestWithContext(t.Context(), "GET", server.URL, nil)
			if err != nil {
				t.Fatal(err)
			}
			r.URL.Opaque = target // goes out as it is
			r.Header.Set("Authorization", sign(w, "GET", target, "").header())
			answer, err := server.Client().Do(r)
			if err != nil {
				t.Fatal(err)
			}
			answer.Body.Close()
			if answer.StatusCode != want {
				t.Errorf("%s: %d", target, answer.StatusCode)
			}
		})
	}
}

func TestClockWindow(t *testing.T) {
	t.Parallel()
	w := newWorld(t, false)
	for offset, want := range map[time.Duration]int{
		-290 * time.Second: 200, 290 * time.Second: 200, -310 * time.Second: 401, 310 * time.Second: 401,
		-24 * time.Hour: 401, 100 * 365 * 24 * time.Hour: 401,
	} {
		t.Run(fmt.Sprint(offset), func(t *testing.T) {
			s := sign(w, "GET", webhooks, "")
			s.at = time.Now().Add(offset).Unix()
			if answer := send(w, "GET", webhooks, "", s.header()); answer.Code != want {
				t.Errorf("%s: %d", offset, answer.Code)
			}
		})
	}
	s := sign(w, "GET", webhooks, "")
	s.at = time.Now().UnixMilli()
	if answer := send(w, "GET", webhooks, "", s.header()); answer.Code != 401 {
		t.Errorf("milliseconds: %d", answer.Code)
	}
}

func TestNonceIsUsedOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t, false)
	s := sign(w, "GET", webhooks, "")
	s.nonce = strings.Repeat("ab", 32)
	first := s.header()
	for i, want := range []int{200, 401, 401} {
		if answer := send(w, "GET", webhooks, "", first); answer.Code != want {
			t.Errorf("request %d: %d %s", i, answer.Code, answer.Body)
		}
	}
	s.method, s.at = "DELETE", time.Now().Unix()+1
	if answer := send(w, "DELETE", webhooks, "", s.header()); answer.Code != 405 { // there is no such route to use it at
		t.Errorf("no route: %d", answer.Code)
	}
	s.method, s.target = "GET", webhooks+"/wbh_1"
	if answer := send(w, "GET", s.target, "", s.header()); answer.Code != 401 {
		t.Errorf("another request with the nonce: %d", answer.Code)
	}
	other := w.Keys["other"]
	theirs := "/api/v4/accounts/" + foreign + "/webhooks"
	s = signed{id: apiKeyID(other), secret: other.Secret, method: "GET", target: theirs, nonce: s.nonce}
	if answer := send(w, "GET", theirs, "", s.header()); answer.Code != 200 {
		t.Errorf("another key with the nonce: %d", answer.Code)
	}
	// Refused requests do not use up their nonces.
	s = sign(w, "GET", webhooks, "")
	s.nonce = strings.Repeat("cd", 32)
	forged := s
	forged.secret = "guessed"
	if answer := send(w, "GET", webhooks, "", forged.header()); answer.Code != 401 {
		t.Errorf("forged: %d", answer.Code)
	}
	if answer := send(w, "GET", webhooks, "", s.header()); answer.Code != 200 {
		t.Errorf("after a forged one: %d", answer.Code)
	}
}

// The header is parsed strictly. Only forms that HTTP treats as equal are accepted.
func TestFormsOfTheHeader(t *testing.T) {
	t.Parallel()
	w := newWorld(t, false)
	for name, tc := range map[string]struct {
		change func(string) string
		status int
	}{
		"as it is":                 {func(h string) string { return h }, 200},
		"scheme in lower":          {func(h string) string { return "hmac" + h[4:] }, 200},
		"two spaces":               {func(h string) string { return strings.ReplaceAll(h, ", ", ",  ") }, 200},
		"no spaces":                {func(h string) string { return strings.ReplaceAll(h, ", ", ",") }, 200},
		"unquoted":                 {func(h string) string { return strings.ReplaceAll(h, `"`, "") }, 200},
		"HEX":                      {upperResponse, 200},
		"no scheme":                {func(h string) string { return h[5:] }, 401},
		"another scheme":           {func(h string) string { return "Bearer" + h[4:] }, 401},
		"scheme alone":             {func(string) string { return "Hmac" }, 401},
		"empty":                    {func(string) string { return "" }, 401},
		"no commas":                {func(h string) string { return strings.ReplaceAll(h, ",", "") }, 401},
		"comma at the end":         {func(h string) string { return h + "," }, 401},
		"more at the end":          {func(h string) string { return h + `, realm="x"` }, 401},
		"twice a nonce":            {func(h string) string { return h + `, nonce="x"` }, 401},
		"without id":               {func(h string) string { return strings.Replace(h, "id=", "username=", 1) }, 401},
		"a name in another case":   {func(h string) string { return strings.Replace(h, "nonce=", "Nonce=", 1) }, 200},
		"spaces around equals":     {func(h string) string { return strings.ReplaceAll(h, `="`, ` = "`) }, 200},
		"twice in another case":    {func(h string) string { return h + `, NONCE="x"` }, 401},
		"cut":                      {func(h string) string { return h[:len(h)-1] }, 401},
		"short response":           {func(h string) string { return h[:len(h)-3] + `"` }, 401},
		"no hex":                   {func(h string) string { return h[:len(h)-2] + `g"` }, 401},
		"signed time":              {func(h string) string { return strings.Replace(h, `timestamp="`, `timestamp="+`, 1) }, 401},
		"time with a leading zero": {func(h string) string { return strings.Replace(h, `timestamp="`, `timestamp="0`, 1) }, 401},
		"no nonce":                 {func(h string) string { return strings.Replace(h, "nonce=", "x=", 1) }, 401},
	} {
		t.Run(name, func(t *testing.T) {
			header := sign(w, "GET", webhooks, "").header()
			if answer := send(w, "GET", webhooks, "", tc.change(header)); answer.Code != tc.status {
				t.Errorf("%s: %d %s", name, answer.Code, tc.change(header))
			}
		})
	}
	twice := http.Header{"Authorization": {sign(w, "GET", webhooks, "").header(), sign(w, "GET", webhooks, "").header()}}
	if answer := w.Call("none", "GET", webhooks, twice, ""); answer.Code != 401 {
		t.Errorf("two headers: %d", answer.Code)
	}
	for _, nonce := range []string{strings.Repeat("n", 128), "1l5daa1ju1b7lmljc5p4nev0ve"} {
		s := sign(w, "GET", webhooks, "")
		s.nonce = nonce
		if answer := send(w, "GET", webhooks, "", s.header()); answer.Code != 200 {
			t.Errorf("the nonce %s: %d", nonce, answer.Code)
		}
	}
	s := sign(w, "GET", webhooks, "")
	s.nonce = strings.Repeat("n", 129)
	if answer := send(w, "GET", webhooks, "", s.header()); answer.Code != 401 {
		t.Errorf("a nonce too long: %d", answer.Code)
	}
}

func upperResponse(h string) string {
	before, response, _ := strings.Cut(h, `response="`)
	return before + `response="` + strings.ToUpper(response)
}

// Basic is accepted only if the option is set.
func TestBasic(t *testing.T) {
	t.Parallel()
	on, off := newWorld(t, true), newWorld(t, false)
	basic := func(w *dialecttest.World, key string) string {
		k := w.Keys[key]
		return "Basic " + base64.StdEncoding.EncodeToString([]byte(apiKeyID(k)+":"+k.Secret))
	}
	for name, tc := range map[string]struct {
		w      *dialecttest.World
		header string
		status int
	}{
		"on":            {on, basic(on, "tenant"), 200},
		"lower case":    {on, "b" + basic(on, "tenant")[1:], 200},
		"off":           {off, basic(off, "tenant"), 401},
		"wrong secret":  {on, basic(on, "wrong"), 401},
		"other":         {on, basic(on, "other"), 404},
		"operator":      {on, basic(on, "operator"), 200},
		"not base64":    {on, "Basic x:y", 401},
		"no secret":     {on, "Basic " + base64.StdEncoding.EncodeToString([]byte(apiKeyID(on.Keys["tenant"])+":")), 401},
		"another's id":  {on, "Basic " + base64.StdEncoding.EncodeToString([]byte(apiKeyID(on.Keys["other"])+":"+on.Keys["tenant"].Secret)), 401},
		"bearer":        {on, "Bearer " + on.Keys["tenant"].Secret, 401},
		"hmac still on": {on, sign(on, "GET", webhooks, "").header(), 200},
	} {
		t.Run(name, func(t *testing.T) {
			if answer := send(tc.w, "GET", webhooks, "", tc.header); answer.Code != tc.status {
				t.Errorf("%s: %d %s", name, answer.Code, answer.Body)
			}
		})
	}
	if answer := send(on, "POST", webhooks, seedBody, basic(on, "tenant")); answer.Code != 201 {
		t.Errorf("create: %d %s", answer.Code, answer.Body)
	}
}

// A client in Python signs with its own code. The test fails without Python: a check that does not run has not passed.
func TestPythonClient(t *testing.T) {
	t.Parallel()
	testenv.Needs(t, "Python")
	w := newWorld(t, false)
	server := httptest.NewServer(w.Handler)
	defer server.Close()
	k := w.Keys["tenant"]
	cmd := exec.CommandContext(t.Context(), "python3", "testdata/client.py", server.URL, account, apiKeyID(k))
	cmd.Stdin = strings.NewReader(k.Secret)
	var faults bytes.Buffer
	cmd.Stderr = &faults
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, faults.Bytes())
	}
	const want = "201\n200\n200\n200\n204\n404\n401\n"
	if string(out) != want {
		t.Errorf("it was answered\n%swant\n%s", out, want)
	}
}
