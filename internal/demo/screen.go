package demo

import (
	"cmp"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/bellwire/bellwire/client"
)

// screen prints the demonstration: plain text, with colours on a terminal.
type screen struct {
	out    io.Writer
	colour bool
}

const rowForm = "  %-10s %-9s %-30s %7s %7s %9s   %s\n"

func (s *screen) header(url string) {
	fmt.Fprintf(s.out, "Bellwire serves %s from a temporary database.\n\n", url)
	fmt.Fprint(s.out, s.bold(fmt.Sprintf(rowForm, "DIALECT", "ENDPOINT", "EVENT", "ATTEMPT", "ANSWER", "AFTER", "SIGNATURE")))
}

func (s *screen) row(a arrival) {
	verdict := s.green("✔ verified")
	if a.fault != nil {
		verdict = s.red("✘ " + a.fault.Error())
	}
	fmt.Fprintf(s.out, rowForm, a.dialect, a.name, cmp.Or(a.eventType, "?"), fmt.Sprint(a.attempt), fmt.Sprint(a.status),
		milliseconds(a.after), verdict)
}

func milliseconds(d time.Duration) string {
	if d == 0 {
		return "-"
	}
	return fmt.Sprintf("%.1f ms", float64(d.Microseconds())/1000)
}

func (s *screen) summary(events, deliveries int, took time.Duration) {
	fmt.Fprintf(s.out, "\n%s %d events, %d deliveries, all verified, with the data that was published, in %.1f s.\n",
		s.green("✔"), events, deliveries, took.Seconds())
	fmt.Fprintf(s.out, "  Attempts answered 503 were retried until they were acknowledged.\n")
}

// invitation shows what to look at and to try while the server is up.
func (s *screen) invitation(url, key, console, receiver string, endpoints []*client.Endpoint, example payload) {
	fmt.Fprintf(s.out, "\n%s\n\n  %s\n\n", s.bold("See it live in the console. This link signs you in, once, within a minute:"), console)
	fmt.Fprintf(s.out, "  Three customers get events now. One endpoint is down, one is slow, and one fails now and then.\n")
	fmt.Fprintf(s.out, "  What came before is made up: charts show %d days, and lists some events of the last %d.\n", PastDays, recentDays)
	fmt.Fprintf(s.out, "  To try: find out why order %d did not arrive at %s, recover the endpoint that was down since yesterday,\n", lostOrder, lostTenant)
	fmt.Fprintf(s.out, "  and add an endpoint, such as %s, which takes everything.\n", receiver)
	fmt.Fprintf(s.out, "  For another link: bellwire console --server %s --key %s\n", url, key)
	fmt.Fprintf(s.out, "\nOr try the API. The server stays up until Ctrl-C.\n\n")
	fmt.Fprintf(s.out, "  export KEY=%s\n\n", key)
	call := func(rest ...string) {
		fmt.Fprintf(s.out, "  curl -s -H \"Authorization: Bearer $KEY\" %s\n", strings.Join(rest, " "))
	}
	base := url + "/api/v1/tenants/" + tenant
	call(fmt.Sprintf(`-d '{"type": %q, "data": {"amount": 10.00}}'`, example.eventType), base+"/events")
	call("'" + base + "/deliveries?limit=3'")
	call("-X POST", base+"/endpoints/"+endpoints[0].ID+"/test")
	fmt.Fprintf(s.out, "\n  The API, described: %s/docs\n\n", url)
}

func (s *screen) bold(text string) string  { return s.paint("1", text) }
func (s *screen) green(text string) string { return s.paint("32", text) }
func (s *screen) red(text string) string   { return s.paint("31", text) }

func (s *screen) paint(code, text string) string {
	if !s.colour {
		return text
	}
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}
