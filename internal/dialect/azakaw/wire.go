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

// reply is the envelope of every answer, which azakaw documents for GetAppToken.
type reply struct {
	Version    *string  `json:"version"`
	StatusCode int      `json:"statusCode"`
	Messages   []string `json:"messages"`
	Result     any      `json:"result"`
}

// configuration is a configuration on the wire (Azakaw guide, section "Configuration Properties").
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

// settings are the settings of an authentication. Secrets are masked.
type settings struct {
	APIKey   string `json:"apiKey,omitzero"`
	Header   string `json:"header,omitzero"`
	Username string `json:"username,omitzero"`
	Password string `json:"password,omitzero"`
}

// mask is shown in place of a secret.
const mask = "********"

// The values of AuthType (Azakaw guide, section "Authentication Types").
const (
	authNone   = "None"
	authAPIKey = "ApiKey"
	authBasic  = "Basic"

	// defaultHeader is the header of the API key. azakaw does not document its name.
	defaultHeader = "X-API-Key"
)

func show(k *service.EndpointView) configuration {
	count, interval := retriesOf(k.Retry)
	base, path := k.Extra[extraBase], k.Extra[extraPath]
	if join(base, path) != k.URL { // the URL is masked
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

// retriesOf returns the number of retries of any policy, and the delay of the first.
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

// input is the body of POST and PUT.
type input struct {
	RetryCount          httpx.Optional[int]     `json:"retryCount"`
	RetryInterval       httpx.Optional[seconds] `json:"retryInterval"`
	WebhookBaseURL      httpx.Optional[string]  `json:"webhookBaseUrl"`
	WebhookRelativePath httpx.Optional[string]  `json:"webhookRelativePath"`
	IsActive            httpx.Optional[bool]    `json:"isActive"`
	AuthType            httpx.Optional[string]  `json:"authType"`
	AuthSettings        *inputSettings          `json:"authSettings"` // null is the same as none
	ID                  httpx.Optional[string]  `json:"id"`           // must be the configuration's own
	TenantID            httpx.Optional[string]  `json:"tenantId"`     // must be the caller's own

	misfits error // faults of fields that were left out
}

type inputSettings struct {
	APIKey   httpx.Optional[string] `json:"apiKey"`
	Header   httpx.Optional[string] `json:"header"`
	Username httpx.Optional[string] `json:"username"`
	Password httpx.Optional[string] `json:"password"`
}

// seconds is a number of seconds, or text in the form hh:mm:ss, as .NET writes a TimeSpan. A fraction is accepted only if it
// is the current interval, which the native API may have set.
type seconds time.Duration

// UnmarshalJSONFrom decodes either form.
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
	return bellwire.Invalid(field, "must be a whole number of seconds between 0 and %s, or text in the form hh:mm:ss",
		bellwire.Number(bellwire.MaxRetryDelay/time.Second))
}

// timeSpan parses hh:mm:ss, up to 23:59:59.
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

// wanted returns the input for an endpoint. was is the endpoint before the change, nil for a new one. What the body leaves out
// has its default in a new endpoint, and stays as it is in another: a change of the URL must not enable deliveries or remove
// credentials. A secret that is sent back masked stays too.
func (in *input) wanted(tenant, id string, was *service.EndpointView, settings bellwire.DialectSettings) (service.EndpointInput, error) {
	url, parts, urlErr := in.url(was)
	retry, retryErr := in.retry(was, settings)
	auth, authErr := in.auth(was, cmp.Or(settings.APIKeyHeader, defaultHeader))
	if in.misfits != nil && !in.AuthType.Given { // the type that was left out may be the one that the settings are for
		authErr = nil
	}
	out := service.EndpointInput{URL: &url, Extra: &parts, Retry: retry, Auth: auth, Status: in.status(was)}
	if was == nil {
		out.Events = &[]string{"*"}
	}
	return out, bellwire.AddFaults(in.misfits, bellwire.Join(in.checkIDs(tenant, id), urlErr, retryErr, authErr))
}

// url returns the endpoint's URL and its parts, which are normalized so that they join to the URL.
func (in *input) url(was *service.EndpointView) (url string, parts map[string]string, err error) {
	if err := httpx.Require("webhookBaseUrl", in.WebhookBaseURL.Given); err != nil {
		return "", nil, err
	}
	base, path := in.WebhookBaseURL.Value, in.WebhookRelativePath.Value
	if was != nil && !in.WebhookRelativePath.Given {
		path = was.Extra[extraPath]
	}
	if normalized, err := destination.NormalizeURL(base); err == nil {
		base = normalized
	}
	path = strings.TrimSpace(path)
	if path != "" && strings.Contains(base, "?") {
		return "", nil, bellwire.Invalid("webhookBaseUrl", "must not have a query if there is a webhookRelativePath; put the query there")
	}
	url = join(base, path)
	if was == nil || url != was.URL { // a URL that only the native API accepts may stay
		_, err = destination.NormalizeURL(url)
	}
	return url, map[string]string{extraBase: base, extraPath: path}, err
}

// status returns the new status, nil if it stays as it is. An isActive that is sent back as it was shown changes nothing, so
// that a pause, which is shown as not active, stays.
func (in *input) status(was *service.EndpointView) *bellwire.EndpointStatus {
	if was != nil && (!in.IsActive.Given || in.IsActive.Value == (was.Status == bellwire.EndpointEnabled)) {
		return nil
	}
	if in.IsActive.Given && !in.IsActive.Value {
		return new(bellwire.EndpointDisabled)
	}
	return new(bellwire.EndpointEnabled)
}

// checkIDs refuses an id other than the path's, and a tenant other than the caller's.
func (in *input) checkIDs(tenant, id string) error {
	var idErr, tenantErr error
	if in.ID.Given && in.ID.Value != id {
		idErr = bellwire.Invalid("id", "is assigned by the server and cannot be changed")
	}
	if in.TenantID.Given && in.TenantID.Value != tenant {
		tenantErr = bellwire.Invalid("tenantId", "must be your own tenant id")
	}
	return bellwire.Join(idErr, tenantErr)
}

// retry returns the new retry policy, nil if the current or the default one is meant: if both fields are left out or are sent back
// as they were shown. The native API may have set a policy that these two fields cannot express.
func (in *input) retry(was *service.EndpointView, settings bellwire.DialectSettings) (*bellwire.RetryPolicy, error) {
	if !in.RetryCount.Given && !in.RetryInterval.Given {
		return nil, nil
	}
	count, interval := retriesOf(settings.Defaults(Dialect{}.Defaults()).Retry)
	if was != nil {
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
		return nil, bellwire.Invalid("retryCount", "must be between 0 and %d", bellwire.MaxRetries)
	}
	if in.RetryInterval.Given && interval%time.Second != 0 {
		return nil, errInterval("retryInterval")
	}
	if in.RetryInterval.Given && count > 0 && interval < time.Second {
		return nil, bellwire.Invalid("retryInterval", "must be at least 1 second if there are retries")
	}
	return &bellwire.RetryPolicy{Interval: bellwire.Duration(interval), Count: count}, nil
}

// auth returns the new authentication, nil if the current one stays. header is that of API keys for which none is named.
func (in *input) auth(was *service.EndpointView, header string) (*bellwire.Auth, error) {
	given, kind := in.AuthSettings, authNone
	switch {
	case in.AuthType.Given:
		kind = in.AuthType.Value
	case given == nil:
		return nil, nil // as it was, or the tenant's default
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
		return given.apiKey(was, header)
	case strings.EqualFold(kind, authBasic):
		return given.basic(was)
	}
	return nil, bellwire.Invalid("authType", "must be None, ApiKey or Basic")
}

func (in *inputSettings) apiKey(was *service.EndpointView, header string) (*bellwire.Auth, error) {
	auth := &bellwire.Auth{Type: bellwire.AuthAPIKey, Header: header, Key: in.APIKey.Value}
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

// filled refuses an empty setting.
func filled(name string, m httpx.Optional[string]) error {
	if m.Given && m.Value == "" {
		return bellwire.Invalid("authSettings."+name, "must not be empty")
	}
	return nil
}

// kept reports whether a secret stays as it is: it is left out, or sent back masked.
func kept(secret httpx.Optional[string]) bool { return !secret.Given || secret.Value == mask }

// only refuses settings of another type of authentication.
func (in *inputSettings) only(authType string) error {
	for _, m := range []struct {
		name, of string
		given    bool
	}{
		{"apiKey", authAPIKey, in.APIKey.Given}, {"header", authAPIKey, in.Header.Given},
		{"username", authBasic, in.Username.Given}, {"password", authBasic, in.Password.Given},
	} {
		if m.given && m.of != authType {
			return bellwire.Invalid("authSettings."+m.name, "must not be given if authType is %s", authType)
		}
	}
	return nil
}
