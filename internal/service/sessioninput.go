package service

import (
	"net"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/limits"
)

func sessionTime(given *time.Duration) (time.Duration, error) {
	if given == nil {
		return limits.PortalSessionTime, nil
	}
	if *given < limits.MinPortalSessionTime || *given > limits.MaxPortalSessionTime {
		return 0, bellwire.Invalid("expires_in", "must be between %s and %s",
			bellwire.Duration(limits.MinPortalSessionTime), bellwire.Duration(limits.MaxPortalSessionTime))
	}
	return *given, nil
}

// sessionCapabilities returns the capabilities of the given names, nil for all. Each includes view, without which a person sees
// nothing to use it on.
func sessionCapabilities(names []string) (bellwire.Capabilities, error) {
	if names == nil {
		return bellwire.AllCapabilities, nil
	}
	if len(names) == 0 {
		return 0, bellwire.Invalid("capabilities", "must have at least one entry, or be left out for all")
	}
	capabilities, err := bellwire.ParseCapabilities(names)
	return capabilities | bellwire.CanView, err
}

// checkOrigins returns origins as browsers write them.
func checkOrigins(origins []string) ([]string, error) {
	if len(origins) > limits.PortalOrigins {
		return nil, bellwire.Invalid("origins", "must have at most %d entries, but has %s", limits.PortalOrigins, bellwire.Number(len(origins)))
	}
	checked := []string{}
	for _, text := range origins {
		origin, ok := parseOrigin(text)
		if !ok {
			return nil, bellwire.Invalid("origins", "must contain only origins, such as https://app.example.com")
		}
		if !slices.Contains(checked, origin) {
			checked = append(checked, origin)
		}
	}
	return checked, nil
}

// hostForm is the form of a host that can be written into a header. Hosts in other scripts must be given in their ASCII form.
var hostForm = regexp.MustCompile(`^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$`)

// maxHost is the maximum length of a host.
const maxHost = 253

func isHost(text string) bool { return len(text) <= maxHost && hostForm.MatchString(text) }

func parseOrigin(text string) (origin string, ok bool) {
	u, err := url.Parse(strings.ToLower(text))
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.User != nil || u.Path != "" && u.Path != "/" ||
		strings.ContainsAny(text, "?#") {
		return "", false
	}
	host, port := u.Hostname(), u.Port()
	if ip := net.ParseIP(host); !isHost(host) && ip == nil || strings.HasSuffix(u.Host, ":") {
		return "", false
	}
	if u.Scheme == "https" && port == "443" || u.Scheme == "http" && port == "80" {
		port = ""
	}
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	if port != "" {
		host += ":" + port
	}
	return u.Scheme + "://" + host, true
}

var (
	colorForm  = regexp.MustCompile(`^#[0-9a-fA-F]{6}$`)
	themeModes = []string{"light", "dark", "system"}
)

func checkTheme(t bellwire.Theme) error {
	var color, mode error
	if t.Accent != "" && !colorForm.MatchString(t.Accent) {
		color = bellwire.Invalid("theme.accent", "must be a color of six hex digits, such as #4f46e5")
	}
	if t.Mode != "" && !slices.Contains(themeModes, t.Mode) {
		mode = bellwire.Invalid("theme.mode", "must be %s", bellwire.OneOf(themeModes))
	}
	return bellwire.Join(color, mode)
}
