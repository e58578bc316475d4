package mail

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// Bounds of a digest.
const (
	maxParagraphs = 100
	maxText       = 1000 // characters of one line
)

// kind is what a paragraph reports, in the order in which a digest lists them.
type kind int

const (
	failing kind = iota
	disabled
	jobFailed
	recovered
	kinds // how many there are
)

// digest is an e-mail about alerts.
type digest struct {
	items []*item
	full  bool // further alerts were not kept
}

// item is the last alert about an endpoint or a job.
type item struct {
	kind kind
	data bellwire.OperationalData
}

// ofHealth reports whether the item can tell of an endpoint's health. How a disabled endpoint was does not count: the answer that
// disables it, such as a 410, and those behind it, can be reported after that.
func (i *item) ofHealth() bool {
	return i.data.Endpoint != nil && i.data.Health != nil && i.data.Endpoint.Status != bellwire.EndpointDisabled
}

// newDigest returns a digest of alerts. Only the last one about each endpoint or job counts.
func newDigest(alerts []*bellwire.Alert) (*digest, error) {
	d := &digest{full: len(alerts) >= bellwire.MaxAlerts}
	seen := make(map[string]bool)
	for _, a := range slices.Backward(alerts) {
		i := new(item)
		if err := json.Unmarshal(a.Data, &i.data); err != nil {
			return nil, err
		}
		var id string
		switch {
		case i.data.Endpoint != nil:
			id = i.data.Endpoint.ID
		case i.data.Job != nil:
			id = i.data.Job.ID.String()
		}
		known := true
		switch a.Type {
		case bellwire.OperationalFailing:
			i.kind = failing
			known = i.ofHealth()
		case bellwire.OperationalRecovered:
			i.kind = recovered
			known = i.ofHealth()
		case bellwire.OperationalDisabled:
			i.kind = disabled
			known = i.data.Endpoint != nil
		case bellwire.OperationalFinished:
			i.kind = jobFailed
			known = i.data.Job != nil
		default:
			known = false // of a newer version
		}
		if known && !seen[id] {
			seen[id] = true
			d.items = append(d.items, i)
		}
	}
	slices.Reverse(d.items)
	slices.SortStableFunc(d.items, func(a, b *item) int { return cmp.Compare(a.kind, b.kind) })
	return d, nil
}

// subject returns the subject, such as "Bellwire: 3 endpoints failing, 1 disabled".
func (d *digest) subject() string {
	var counts [kinds]int
	for _, i := range d.items {
		counts[i.kind]++
	}
	verbs := [kinds]string{failing: "failing", disabled: "disabled", recovered: "recovered"}
	var parts []string
	for _, k := range []kind{failing, disabled, recovered} {
		switch {
		case counts[k] == 0:
		case len(parts) > 0:
			parts = append(parts, fmt.Sprintf("%d %s", counts[k], verbs[k]))
		default:
			parts = append(parts, fmt.Sprintf("%s %s", number(counts[k], "endpoint"), verbs[k]))
		}
	}
	if n := counts[jobFailed]; n > 0 {
		parts = append(parts, number(n, "job")+" failed")
	}
	return "Bellwire: " + strings.Join(parts, ", ")
}

func number(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// body returns the text, with a paragraph for each endpoint and job.
func (d *digest) body() string {
	var b strings.Builder
	for n, i := range d.items {
		if n == maxParagraphs {
			fmt.Fprintf(&b, "%d more endpoints and jobs. To list the failing endpoints of all tenants:\n    bellwire endpoints list --all-tenants --health failing\n\n",
				len(d.items)-n)
			break
		}
		b.WriteString(i.paragraph())
	}
	if d.full {
		b.WriteString("More has happened than one e-mail reports.\n\n")
	}
	b.WriteString("What needs attention now:\n    bellwire status\n\nAn address gets at most one such e-mail an hour.\n")
	return b.String()
}

// paragraph returns the lines about an endpoint or a job.
func (i *item) paragraph() string {
	tenant := plain(i.data.Tenant)
	if i.kind == jobFailed {
		j := i.data.Job
		return lines(
			fmt.Sprintf("Job %s (%s) of tenant %s failed at %s", j.ID, plain(string(j.Kind)), tenant, clock(j.FinishedAt)),
			plain(j.Error),
			fmt.Sprintf("bellwire jobs show --tenant %s %s", tenant, j.ID))
	}
	ep := i.data.Endpoint
	words, at, reason := "began to fail", i.data.At, i.data.Reason
	switch i.kind {
	case disabled:
		words = "was disabled"
	case recovered:
		words = "recovered"
	}
	if h := i.data.Health; h != nil {
		at, reason = h.Since, h.Reason
	}
	return lines(
		fmt.Sprintf("Endpoint %s of tenant %s %s at %s", plain(ep.ID), tenant, words, clock(at)),
		plain(ep.Description), plain(ep.URL), plain(reason),
		fmt.Sprintf("bellwire endpoints show --tenant %s %s", tenant, plain(ep.ID)))
}

// lines returns a paragraph whose lines after the first are indented. Empty ones are left out.
func lines(first string, others ...string) string {
	text := first + "\n"
	for _, line := range others {
		if line != "" {
			text += "    " + line + "\n"
		}
	}
	return text + "\n"
}

func clock(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// plain returns text as one line without control characters, shortened if it is long.
func plain(text string) string {
	text = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.In(r, unicode.Cf, unicode.Zl, unicode.Zp) {
			return ' '
		}
		return r
	}, text)
	if runes := []rune(text); len(runes) > maxText {
		return string(runes[:maxText]) + "…"
	}
	return text
}
