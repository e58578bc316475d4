package azakaw

import (
	"cmp"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/destination"
	"github.com/bellwire/bellwire/internal/httpx"
	"github.com/bellwire/bellwire/internal/service"
)

// reply is the envelope of every answer, as GetAppToken of azakaw's API has it.
type reply struct {
	Version    *string  `json:"version"`
	StatusCode int      `json:"statusCode"`
	Messages   []string `json:"messages"`
	Result     any      `json:"result"`
}

// configuration is a webhook's on the wire.
type configuration struct {
	ID                  string    `json:"id"`
	TenantID            string    `json:"tenantId"`
	RetryCount          int       `json:"retryCount"`
	RetryInterval       float64   `json:"retryInterval"` // seconds
	WebhookBaseURL      string    `json:"webhookBaseUrl"`
	WebhookRelativePath string    `json:"webhookRelativePath"`
	IsActive            bool      `json:"isActive"`
	AuthType            string    `json:"authType"`
	AuthSettings        *settings `json:"authSettings"`
}

// settings are those of an authentication, without what must stay secret.
type settings struct {
	APIKey   string `json:"apiKey,omitzero"`
	Header   string `json:"header,omitzero"`
	Username string `json:"username,omitzero"`
	Password string `json:"password,omitzero"`
}

// mask stands for a secret.
const mask = "********"

// The authentications, in azakaw's words.
const (
	authNone   = "None"
	authAPIKey = "ApiKey"
	authBasic  = "Basic"

	// defaultHeader carries the API key. azakaw does not say which header does.
	defaultHeader = "X-API-Key"
)

func show(k *service.EndpointView) configuration {
	count, interval := retriesOf(k.Retry)
	base, path := k.Extra[extraBase], k.Extra[extraPath]
	if join(base, path) != k.URL { // which is masked
		base, path = split(k.URL)
	}
	c := configuration{
		ID: k.ID, TenantID: k.Tenant, RetryCount: count, RetryInterval: interval.Seconds(),
		WebhookBaseURL: base, WebhookRelativePath: path,
		IsActive: k.Status == bellwire.EndpointEnabled,
	}
	c.AuthType, c.AuthSettings = authOf(k)
	return c
}

func authOf(k *service.EndpointView) (string, *settings) {
	switch k.Auth.Type {
	case bellwire.AuthAPIKey:
		return authAPIKey, &settings{APIKey: mask, Header: k.Auth.Header}
	case bellwire.AuthBasic:
		return authBasic, &settings{Username: k.Auth.Username, Password: mask}
	}
	return authNone, nil
}

// retriesOf says of any policy how many retries it makes, and how long after the first attempt the first of them.
func retriesOf(p bellwire.RetryPolicy) (count int, interval time.Duration) {
	p.Jitter = 0
	interval, _ = p.Delay(1, 0)
	for count = 0; count < bellwire.MaxRetries; count++ {
		if _, more := p.Delay(count+1, 0); !more {
			break
		}
	}
	if count == 0 {
		interval = time.Duration(p.Interval)
	}
	return count, interval
}

// input is a configuration as it is given. Names match whatever their case, as .NET has it.
type input struct {
	RetryCount          httpx.Member[int]     `json:"retryCount"`
	RetryInterval       httpx.Member[seconds] `json:"retryInterval"`
	WebhookBaseURL      httpx.Member[string]  `json:"webhookBaseUrl"`
	WebhookRelativePath httpx.Member[string]  `json:"webhookRelativePath"`
	IsActive            httpx.Member[bool]    `json:"isActive"`
	AuthType            httpx.Member[string]  `json:"authType"`
	AuthSettings        *inputSettings        `json:"authSettings"` // null is as good as nothing
	ID                  httpx.Member[string]  `json:"id"`           // may come back, and may not change
	TenantID            httpx.Member[string]  `json:"tenantId"`     // the same
}

type inputSettings struct {
	APIKey   httpx.Member[string] `json:"apiKey"`
	Header   httpx.Member[string] `json:"header"`
	Username httpx.Member[string] `json:"username"`
	Password httpx.Member[string] `json:"password"`
}

// seconds is a number of seconds, or text of the form hh:mm:ss, as .NET writes a TimeSpan. Only what the native API has
// set, and a client sends back, may have a fraction.
type seconds time.Duration

// UnmarshalJSONFrom reads either form.
func (s *seconds) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	if dec.PeekKind() == '0' {
		var n float64
		if err := json.UnmarshalDecode(dec, &n); err != nil {
			return err
		}
		if !(n >= 0 && n <= bellwire.MaxRetryDelay.Seconds()) {
			return errInterval("")
		}
		*s = seconds(math.Round(n * float64(time.Second)))
		return nil
	}
	var text string
	if err := json.UnmarshalDecode(dec, &text); err != nil {
		return err
	}
	d, ok := timeSpan(text)
	if !ok {
		return errInterval("")
	}
	*s = seconds(d)
	return nil
}

func errInterval(field string) error {
	return bellwire.Invalid(field, "It must be a whole number of seconds between 0 and %d, or text of the form hh:mm:ss.", bellwire.MaxRetryDelay/time.Second)
}

// timeSpan reads hh:mm:ss, with up to 24 hours.
func timeSpan(text string) (time.Duration, bool) {
	parts := strings.Split(text, ":")
	if len(parts) != 3 {
		return 0, false
	}
	var total time.Duration
	for i, limit := range []int{23, 59, 59} {
		n, err := strconv.ParseUint(parts[i], 10, 8)
		if err != nil || len(parts[i]) != 2 || int(n) > limit {
			return 0, false
		}
		total = total*60 + time.Duration(n)*time.Second
	}
	return total, true
}

// wanted turns a body into what the service is asked for. was is the configuration that it changes, nil if it is new. What
// a body leaves out has its default in a new one, and stays as it is in another: a change of the URL must not switch
// deliveries on, or have them sent without credentials. A secret that is masked stays too.
func (in *input) wanted(tenant, id string, was *service.EndpointView) (service.EndpointInput, error) {
	out := service.EndpointInput{}
	if err := in.same(tenant, id); err != nil {
		return out, err
	}
	if err := httpx.Require("webhookBaseUrl", in.WebhookBaseURL.Given); err != nil {
		return out, err
	}
	base, path := in.WebhookBaseURL.Value, in.WebhookRelativePath.Value
	if was != nil && !in.WebhookRelativePath.Given {
		path = was.Extra[extraPath]
	}
	// Each part is made what the URL will be made, so that the two join to it. What is wrong with it is said of the URL.
	if normalized, err := destination.NormalizeURL(base); err == nil {
		base = normalized
	}
	path = strings.TrimSpace(path)
	if path != "" && strings.Contains(base, "?") {
		return out, bellwire.Invalid("webhookBaseUrl", "It has a query, which webhookRelativePath would be joined to; put the query there.")
	}
	url := join(base, path)
	out.URL, out.Extra = &url, &map[string]string{extraBase: base, extraPath: path}
	retry, err := in.retry(was)
	if err != nil {
		return out, err
	}
	out.Retry = retry
	out.Auth, err = in.auth(was)
	if err != nil {
		return out, err
	}
	out.Status = in.status(was)
	if was == nil {
		out.Events = &[]string{"*"}
	}
	return out, nil
}

// status is what the configuration is to be, nil if it stays what it is. A pause, which IsActive shows as not active, is
// more than a client that sends it back can know of.
func (in *input) status(was *service.EndpointView) *bellwire.EndpointStatus {
	if was != nil && (!in.IsActive.Given || in.IsActive.Value == (was.Status == bellwire.EndpointEnabled)) {
		return nil
	}
	if in.IsActive.Given && !in.IsActive.Value {
		return new(bellwire.EndpointDisabled)
	}
	return new(bellwire.EndpointEnabled)
}

// same refuses an id or tenant that is not the path's and the key's own.
func (in *input) same(tenant, id string) error {
	if in.ID.Given && in.ID.Value != id {
		return bellwire.Invalid("id", "It is given by the server, and does not change.")
	}
	if in.TenantID.Given && in.TenantID.Value != tenant {
		return bellwire.Invalid("tenantId", "It must be the id of your own tenant.")
	}
	return nil
}

// retry makes a policy of the two members, nil if the one that was there stays: where they are left out, or say of it what
// it shows already. The native API may have set one of another form.
func (in *input) retry(was *service.EndpointView) (*bellwire.RetryPolicy, error) {
	count, interval := defaultRetryCount, defaultRetryInterval
	if was != nil {
		if !in.RetryCount.Given && !in.RetryInterval.Given {
			return nil, nil
		}
		shownCount, shown := retriesOf(was.Retry)
		count = shownCount
		if shown > 0 {
			interval = shown
		}
	}
	if in.RetryCount.Given {
		count = in.RetryCount.Value
	}
	if in.RetryInterval.Given {
		interval = time.Duration(in.RetryInterval.Value)
	}
	if was != nil {
		if shownCount, shown := retriesOf(was.Retry); shownCount == count && shown == interval {
			return nil, nil
		}
	}
	if count < 0 || count > bellwire.MaxRetries {
		return nil, bellwire.Invalid("retryCount", "It must be between 0 and %d.", bellwire.MaxRetries)
	}
	if in.RetryInterval.Given && interval%time.Second != 0 {
		return nil, errInterval("retryInterval")
	}
	if in.RetryInterval.Given && count > 0 && interval < time.Second {
		return nil, bellwire.Invalid("retryInterval", "It must be at least a second where there are retries.")
	}
	return &bellwire.RetryPolicy{Interval: bellwire.Duration(interval), Count: count}, nil
}

// auth makes an authentication of the two members, nil if the one that was there stays.
func (in *input) auth(was *service.EndpointView) (*bellwire.Auth, error) {
	given, kind := in.AuthSettings, authNone
	switch {
	case in.AuthType.Given:
		kind = in.AuthType.Value
	case was != nil && given == nil:
		return nil, nil
	case was != nil:
		kind, _ = authOf(was)
	}
	if given == nil {
		given = &inputSettings{}
	}
	switch {
	case strings.EqualFold(kind, authNone):
		return &bellwire.Auth{Type: bellwire.AuthNone}, given.only(authNone)
	case strings.EqualFold(kind, authAPIKey):
		return given.apiKey(was)
	case strings.EqualFold(kind, authBasic):
		return given.basic(was)
	}
	return nil, bellwire.Invalid("authType", "It must be None, ApiKey or Basic.")
}

func (in *inputSettings) apiKey(was *service.EndpointView) (*bellwire.Auth, error) {
	auth := &bellwire.Auth{Type: bellwire.AuthAPIKey, Header: defaultHeader, Key: in.APIKey.Value}
	switch {
	case in.Header.Given:
		auth.Header = in.Header.Value
	case was != nil && was.Auth.Type == bellwire.AuthAPIKey:
		auth.Header = was.Auth.Header
	}
	if err := in.only(authAPIKey); err != nil {
		return nil, err
	}
	if err := cmp.Or(filled("apiKey", in.APIKey), filled("header", in.Header)); err != nil {
		return nil, err
	}
	if kept(in.APIKey) {
		if was == nil || was.Auth.Type != bellwire.AuthAPIKey || was.Auth.Header != auth.Header {
			return nil, httpx.Require("authSettings.apiKey", false)
		}
		return nil, nil
	}
	return auth, nil
}

func (in *inputSettings) basic(was *service.EndpointView) (*bellwire.Auth, error) {
	auth := &bellwire.Auth{Type: bellwire.AuthBasic, Username: in.Username.Value, Password: in.Password.Value}
	if err := in.only(authBasic); err != nil {
		return nil, err
	}
	if err := filled("username", in.Username); err != nil {
		return nil, err
	}
	if !in.Username.Given && was != nil && was.Auth.Type == bellwire.AuthBasic {
		auth.Username = was.Auth.Username
	} else if err := httpx.Require("authSettings.username", in.Username.Given); err != nil {
		return nil, err
	}
	if kept(in.Password) {
		if was == nil || was.Auth.Type != bellwire.AuthBasic || was.Auth.Username != auth.Username {
			return nil, httpx.Require("authSettings.password", false)
		}
		return nil, nil
	}
	return auth, nil
}

// filled refuses a setting that is empty.
func filled(name string, m httpx.Member[string]) error {
	if m.Given && m.Value == "" {
		return bellwire.Invalid("authSettings."+name, "It must not be empty.")
	}
	return nil
}

// kept tells whether a secret stays as it is: it is left out, or only the mask has come back.
func kept(secret httpx.Member[string]) bool { return !secret.Given || secret.Value == mask }

// only refuses settings that do not go with the type.
func (in *inputSettings) only(authType string) error {
	for _, m := range []struct {
		name, of string
		given    bool
	}{
		{"apiKey", authAPIKey, in.APIKey.Given}, {"header", authAPIKey, in.Header.Given},
		{"username", authBasic, in.Username.Given}, {"password", authBasic, in.Password.Given},
	} {
		if m.given && m.of != authType {
			return bellwire.Invalid("authSettings."+m.name, "It does not go with the type %s.", authType)
		}
	}
	return nil
}
