package limits_test

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/limits"
)

var update = flag.Bool("update", false, "write docs/limits.md")

// The page on limits is generated from the code: `go test ./internal/limits -update` writes it.
func TestPage(t *testing.T) {
	t.Parallel()
	const path = "../../docs/limits.md"
	page := writePage()
	if *update {
		if err := os.WriteFile(path, []byte(page), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	written, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(page, string(written)); diff != "" {
		t.Errorf("docs/limits.md is not what the code says; go test ./internal/limits -update writes it (-code +page):\n%s", diff)
	}
}

const intro = `<!-- Made from internal/limits by go test ./internal/limits -update. -->
# Limits

These bounds keep one tenant from taking what others need. There are three kinds:

* [limits on a tenant](#limits-on-a-tenant), which you can set
* [what one request may have](#limits-on-a-request)
* [what tenants share](#what-tenants-share) on each node, which is fixed

## Limits on a tenant

Set limits for all tenants with the flag ` + "`--limit NAME=VALUE`" + `, which can be repeated, as a list in the environment
variable ` + "`BELLWIRE_LIMITS`" + `, or in the YAML file:

` + "```yaml" + `
limit:
  endpoints: 5000
  publish_rate: 2000
  configuration_bytes: 16MiB
  min_retry_delay: 5s
` + "```" + `

Write numbers without separators, such as 5000. Flags override the environment, and the environment overrides the
file; the limits of one place replace all limits of the next.

A tenant can have its own values, higher or lower. Setting them needs an admin key:

` + "```sh" + `
curl -X PATCH https://webhooks.example.com/api/v1/tenants/acme -H "Authorization: Bearer $BELLWIRE_ADMIN_KEY" \
  -d '{"limits": {"endpoints": 5000, "min_retry_delay": "5s"}}'
` + "```" + `

` + "`null`" + ` removes a value, so that the server's applies again. ` + "`GET /api/v1/tenants/acme`" + ` shows the tenant's own values
in ` + "`limits`" + `, and all that apply to it in ` + "`effective_limits`" + `. Its publish rate is also a field of its own,
` + "`publish_rate`" + `. Limits apply in every dialect. Lowering a limit deletes nothing, except ` + "`event_retention`" + `; it only refuses more.

`

const afterLimits = `### How are rates counted?

"Burst" is how much of a rate can come at once after a quiet period. That of ` + "`publish_rate`" + ` is at least 1,000, because a batch of
that many events is accepted or refused as a whole. Each node counts rates separately: behind a load
balancer that spreads requests evenly over n nodes, a tenant can have up to n times as much. ` + "`publish_rate`" + ` is the exception:
each of n nodes allows an nth of it, so that the tenant can have that much in all, whatever the number of nodes. A node
that joins, leaves or dies changes that number for the others within seconds. A publisher that uses only one of n nodes can
have an nth. An answer that refuses a request names the limit and its value.

## Limits on a request

`

const afterRequests = `
## What tenants share

Each resource has a total, a share that one tenant cannot exceed while others want theirs, and a reserve for tenants
that use none of it yet. These bounds are fixed.

With a *fair share*, a tenant must leave as much free for others as it has itself: a tenant alone can have half of the
total, two can have a third each, and so on. A tenant that has none yet can take all that is free.

`

func writePage() string {
	var b strings.Builder
	b.WriteString(intro)
	for _, g := range limits.Groups {
		b.WriteString("### " + g.Question + "\n\n")
		writeGroup(&b, g)
	}
	b.WriteString(afterLimits)
	writeRequests(&b)
	b.WriteString(afterRequests)
	for _, s := range limits.Sections {
		b.WriteString("### " + s.Question + "\n\n")
		row(&b, "resource", "total", "share of one tenant", "reserve", "order", "beyond the share")
		row(&b, "---", "---", "---", "---", "---", "---")
		for _, r := range s.Resources {
			row(&b, r.Name, r.Bound, r.Share, r.Reserve, r.Order, r.Answer)
		}
		b.WriteString("\n")
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// writeRequests writes the bounds of one request.
func writeRequests(b *strings.Builder) {
	bytes := func(n int) string { return limits.ConfigurationBytes.Show(float64(n)) }
	row(b, "request", "limit", "beyond it")
	row(b, "---", "---", "---")
	row(b, "data of one event", bytes(limits.DefaultMaxEventBytes)+"; the option `--max-event-bytes` changes it", "413 `too_large`")
	row(b, "events of one batch", bellwire.Number(limits.MaxBatchEvents), "422 `invalid`")
	row(b, "data of one batch", bytes(limits.MaxBatchBytes), "413 `too_large`")
	row(b, "deliveries of one publish that are stored with it", bellwire.Number(limits.FanOutFrom), "none: the others are [stored in steps](delivery.md#publications-to-many-endpoints)")
	row(b, "objects on a page of a list", bellwire.Number(limits.MaxPageLimit), "422 `invalid`; a page with many large objects ends early, with a cursor")
	row(b, "retries in a retry policy", bellwire.Number(bellwire.MaxRetries), "422 `invalid`")
	row(b, "steps of schema checks and filters", "[below](#why-is-a-publish-refused-or-slow)", "413 `too_large`; a filter has failed")
}

// writeGroup writes a table of limits, with the bursts of rates if they are rates per second.
func writeGroup(b *strings.Builder, g limits.Group) {
	bursts := slices.ContainsFunc(g.Limits, func(l *limits.Limit) bool { return burst(l) != "" })
	cells := []string{"name", "meaning", "default", "range", "burst", "beyond it"}
	if !bursts {
		cells = slices.Delete(cells, 4, 5)
	}
	row(b, cells...)
	row(b, slices.Repeat([]string{"---"}, len(cells))...)
	for _, l := range g.Limits {
		cells := []string{"`" + l.Name + "`", l.Meaning, value(l, l.Default), value(l, l.Min) + " to " + l.Show(l.Max), burst(l), l.Answer}
		if !l.PerTenant {
			cells[1] += " For the server as a whole."
		}
		if !bursts {
			cells = slices.Delete(cells, 4, 5)
		}
		row(b, cells...)
	}
	b.WriteString("\n")
}

func resources() (all []limits.Resource) {
	for _, s := range limits.Sections {
		all = append(all, s.Resources...)
	}
	return all
}

func row(b *strings.Builder, cells ...string) {
	b.WriteString("| " + strings.Join(cells, " | ") + " |\n")
}

// value writes a value with its unit, where it does not carry one.
func value(l *limits.Limit, v float64) string {
	switch {
	case v == 0:
		return "none"
	case v == l.Min && l.ZeroIsNone:
		return "0 (none), " + l.Show(v)
	case v == l.Min || l.Kind == limits.Bytes || l.Kind == limits.Delay:
		return l.Show(v)
	}
	return l.Show(v) + " " + l.Unit
}

// burst writes how much of a rate may come at once, by default if there is one.
func burst(l *limits.Limit) string {
	switch {
	case l.Kind != limits.Rate:
		return ""
	case l.Default == 0:
		return fmt.Sprintf("%g seconds' worth, at least %s", l.BurstSeconds, l.Show(float64(l.Burst(0))))
	}
	return fmt.Sprintf("%s (%g seconds' worth)", l.Show(float64(l.Burst(l.Default))), l.BurstSeconds)
}

// Each limit is complete, has a field of its own, and a default that it allows.
func TestLimitsAreWhole(t *testing.T) {
	t.Parallel()
	held := limits.Default()
	names := make(map[string]bool)
	for _, l := range limits.All {
		if l.Name == "" || names[l.Name] || limits.Find(l.Name) != l || l.Unit == "" || !strings.HasSuffix(l.Meaning, ".") || l.Answer == "" {
			t.Errorf("%q lacks something, or is there twice: %+v", l.Name, l)
		}
		names[l.Name] = true
		if !l.Allows(l.Default) || !l.Allows(l.Min) || !l.Allows(l.Max) || l.Of(held) != l.Default {
			t.Errorf("%s is %v by default, which must be %s", l.Name, l.Of(held), l.Range())
		}
		if l.Allows(l.Min/2) || l.Allows(l.Max*2) || l.Allows(0) != l.ZeroIsNone {
			t.Errorf("%s can have values that are not %s", l.Name, l.Range())
		}
		changed := limits.With(held, map[string]float64{l.Name: l.Max, "unknown": 1})
		for _, other := range limits.All {
			want := other.Default
			if other == l {
				want = l.Max
			}
			if got := other.Of(changed); got != want {
				t.Errorf("with %s at %v, %s is %v, want %v", l.Name, l.Max, other.Name, got, want)
			}
		}
	}
	if diff := cmp.Diff(limits.Default(), held); diff != "" {
		t.Errorf("With has changed what it was given:\n%s", diff)
	}
	for _, r := range resources() {
		for _, cell := range []string{r.Name, r.Bound, r.Share, r.Reserve, r.Order, r.Answer} {
			if cell == "" || strings.ContainsAny(cell, "|\n") {
				t.Errorf("the resource %+v lacks something, or cannot be a row", r)
			}
		}
	}
}

func TestShow(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		limit *limits.Limit
		value float64
		want  string
	}{
		{limits.Endpoints, 999, "999"}, {limits.Endpoints, 65536, "65,536"}, {limits.PublishRate, 1_000_000, "1,000,000"},
		{limits.PublishRate, 0.001, "0.001"}, {limits.PublishRate, 1234.5, "1,234.5"}, {limits.ConfigurationBytes, 4 << 20, "4MiB"},
		{limits.ConfigurationBytes, 256 << 10, "256KiB"}, {limits.ConfigurationBytes, 1000001, "1,000,001"},
		{limits.MinRetryDelay, 0.001, "1ms"}, {limits.MinRetryDelay, 3600, "1h"},
	} {
		t.Run(tt.want, func(t *testing.T) {
			if got := tt.limit.Show(tt.value); got != tt.want {
				t.Errorf("%s of %v is shown as %q, want %q", tt.limit.Name, tt.value, got, tt.want)
			}
		})
	}
	if d := bellwire.Duration(1500e6); limits.Seconds(limits.OfSeconds(d)) != d {
		t.Errorf("%v comes back as %v", d, limits.Seconds(limits.OfSeconds(d)))
	}
}
