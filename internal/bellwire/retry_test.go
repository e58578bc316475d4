package bellwire_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/bellwire/bellwire/internal/bellwire"
)

func duration(d time.Duration) bellwire.Duration { return bellwire.Duration(d) }

// delays lists all delays of a policy without jitter.
func delays(p bellwire.RetryPolicy) (all []time.Duration) {
	for retry := 1; ; retry++ {
		delay, more := p.Delay(retry, 0.5)
		if !more {
			return all
		}
		all = append(all, delay)
	}
}

func TestRetryPolicyForms(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name, json string
		want       bellwire.RetryPolicy
		delays     []time.Duration
		writes     string // empty: as it was read
	}{
		{
			"schedule", `{"schedule":["5s","5m","72h"]}`,
			bellwire.RetryPolicy{Schedule: []bellwire.Duration{duration(5 * time.Second), duration(5 * time.Minute), duration(72 * time.Hour)}},
			[]time.Duration{5 * time.Second, 5 * time.Minute, 72 * time.Hour}, "",
		},
		{"one attempt only", `{"schedule":[]}`, bellwire.RetryPolicy{}, nil, ""},
		{
			"at once", `{"schedule":["0s"],"jitter":0.5}`,
			bellwire.RetryPolicy{Schedule: []bellwire.Duration{0}, Jitter: 0.5}, []time.Duration{0}, "",
		},
		{
			"interval", `{"interval":"1m30s","count":3}`,
			bellwire.RetryPolicy{Interval: duration(90 * time.Second), Count: 3},
			[]time.Duration{90 * time.Second, 90 * time.Second, 90 * time.Second}, "",
		},
		{"interval without retries", `{"interval":"1m","count":0}`, bellwire.RetryPolicy{Interval: duration(time.Minute)}, nil, ""},
		{
			"growth", `{"initial":"1s","factor":3,"max_interval":"10s","max_elapsed":"40s","jitter":0.2}`,
			bellwire.RetryPolicy{
				Initial: duration(time.Second), Factor: 3, MaxInterval: duration(10 * time.Second), MaxElapsed: duration(40 * time.Second), Jitter: 0.2,
			},
			// 1, 4, 13, 23 and 33 seconds after the first attempt; the next would be at 43.
			[]time.Duration{time.Second, 3 * time.Second, 9 * time.Second, 10 * time.Second, 10 * time.Second}, "",
		},
		{
			"growth by two unless said", `{"initial":"1s","max_elapsed":"7s"}`,
			bellwire.RetryPolicy{Initial: duration(time.Second), Factor: 2, MaxElapsed: duration(7 * time.Second)},
			[]time.Duration{time.Second, 2 * time.Second, 4 * time.Second}, `{"initial":"1s","factor":2,"max_elapsed":"7s"}`,
		},
		{
			"growth that ends before it starts", `{"initial":"1s","factor":1,"max_elapsed":"0s"}`,
			bellwire.RetryPolicy{Initial: duration(time.Second), Factor: 1}, nil, "",
		},
		{
			"growth without factor", `{"initial":"1h","factor":1,"max_elapsed":"3h"}`,
			bellwire.RetryPolicy{Initial: duration(time.Hour), Factor: 1, MaxElapsed: duration(3 * time.Hour)},
			[]time.Duration{time.Hour, time.Hour, time.Hour}, "",
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			var got bellwire.RetryPolicy
			if err := json.Unmarshal([]byte(tc.json), &got); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, got, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("it reads as:\n%s", diff)
			}
			if diff := cmp.Diff(tc.delays, delays(got)); diff != "" {
				t.Errorf("its delays:\n%s", diff)
			}
			writes := tc.writes
			if writes == "" {
				writes = tc.json
			}
			if text, err := json.Marshal(got); err != nil || string(text) != writes {
				t.Errorf("it writes as %s, %v", text, err)
			}
		})
	}
}

func TestRetryPolicyRefuses(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ json, field string }{
		{`{}`, "retry"},
		{`null`, "retry"},
		{`"5s"`, "retry"},
		{`[]`, "retry"},
		{`{"jitter":0.1}`, "retry"},
		{`{"schedule":["5s"],"count":1}`, "retry"},
		{`{"schedule":["5s"],"initial":"1s"}`, "retry"},
		{`{"interval":"5s","count":1,"factor":2}`, "retry"},
		{`{"schedule":[],"surprise":1}`, "retry.surprise"},
		{`{"schedule":"5s"}`, "retry.schedule"},
		{`{"schedule":[5]}`, "retry.schedule[0]"},
		{`{"schedule":["5"]}`, "retry.schedule[0]"},
		{`{"schedule":["soon"]}`, "retry.schedule[0]"},
		{`{"schedule":["-1s"]}`, "retry"},
		{`{"schedule":["721h"]}`, "retry"},
		{`{"schedule":["99999999h"]}`, "retry.schedule[0]"},
		{`{"schedule":[` + strings.Repeat(`"1s",`, 100) + `"1s"]}`, "retry"},
		{`{"schedule":[],"jitter":1.01}`, "retry.jitter"},
		{`{"schedule":[],"jitter":-0.01}`, "retry.jitter"},
		{`{"schedule":[],"jitter":1e999}`, "retry.jitter"},
		{`{"schedule":[],"jitter":"0.1"}`, "retry.jitter"},
		{`{"interval":"5s"}`, "retry"},
		{`{"count":5}`, "retry"},
		{`{"interval":"5s","count":101}`, "retry"},
		{`{"interval":"5s","count":-1}`, "retry"},
		{`{"interval":"5s","count":1.5}`, "retry.count"},
		{`{"interval":"5s","count":9223372036854775808}`, "retry.count"},
		{`{"interval":"0s","count":1}`, "retry.interval"},
		{`{"interval":"999us","count":1}`, "retry.interval"},
		{`{"initial":"1s"}`, "retry"},
		{`{"max_elapsed":"1s"}`, "retry"},
		{`{"factor":2}`, "retry"},
		{`{"initial":"0s","max_elapsed":"1s"}`, "retry.initial"},
		{`{"initial":"-1s","max_elapsed":"1s"}`, "retry"},
		{`{"initial":"1us","max_elapsed":"1s"}`, "retry.initial"},
		{`{"initial":"1s","factor":0.99,"max_elapsed":"1s"}`, "retry.factor"},
		{`{"initial":"1s","factor":101,"max_elapsed":"1s"}`, "retry.factor"},
		{`{"initial":"1s","max_interval":"999ms","max_elapsed":"1s"}`, "retry.max_interval"},
		{`{"initial":"1s","max_interval":"721h","max_elapsed":"1s"}`, "retry"},
		{`{"initial":"1s","max_elapsed":"-1s"}`, "retry.max_elapsed"},
		{`{"initial":"1s","max_elapsed":"72001h"}`, "retry.max_elapsed"},
	} {
		t.Run(fmt.Sprintf("%.60s", tc.json), func(t *testing.T) {
			// Also from inside another value: the error must come through as it is.
			in := struct{ Retry bellwire.RetryPolicy }{bellwire.StandardRetryPolicy()}
			err := json.Unmarshal([]byte(`{"retry":`+tc.json+`}`), &in)
			var e *bellwire.Error
			if !errors.As(err, &e) || e.Code != bellwire.CodeInvalid || e.Field != tc.field || e.Message == "" {
				t.Errorf("%.80s: got %#v, want CodeInvalid about %s", tc.json, err, tc.field)
			}
			if diff := cmp.Diff(bellwire.StandardRetryPolicy(), in.Retry); diff != "" {
				t.Errorf("%.80s: a refused policy was kept:\n%s", tc.json, diff)
			}
		})
	}
}

func TestCheckRefusesValuesOutsideJSON(t *testing.T) {
	t.Parallel()
	for name, p := range map[string]bellwire.RetryPolicy{
		"jitter is no number":      {Jitter: math.NaN()},
		"jitter has no end":        {Jitter: math.Inf(1)},
		"factor is no number":      {Initial: duration(time.Second), Factor: math.NaN()},
		"factor has no end":        {Initial: duration(time.Second), Factor: math.Inf(1)},
		"delay of three centuries": {Interval: math.MaxInt64, Count: 1},
		"delay before the start":   {Schedule: []bellwire.Duration{math.MinInt64}},
		"elapsed in three hundred": {Initial: duration(time.Second), Factor: 2, MaxElapsed: math.MaxInt64},
	} {
		t.Run(name, func(t *testing.T) {
			if err := p.Check(); bellwire.CodeOf(err) != bellwire.CodeInvalid {
				t.Errorf("%s: %v", name, err)
			}
		})
	}
}

func TestStandardRetryPolicy(t *testing.T) {
	t.Parallel()
	p := bellwire.StandardRetryPolicy()
	if err := p.Check(); err != nil {
		t.Fatal(err)
	}
	var sum time.Duration
	for _, delay := range delays(p) {
		sum += delay
	}
	// The last line of the example schedule in Standard Webhooks.
	if want := 75*time.Hour + 35*time.Minute + 5*time.Second; sum != want || len(delays(p)) != 9 || p.Jitter != 0.2 {
		t.Errorf("%d retries within %s, want 9 within %s", len(delays(p)), sum, want)
	}
	p.Schedule[0] = 0
	if bellwire.StandardRetryPolicy().Schedule[0] == 0 {
		t.Error("callers share one schedule")
	}
}

func TestNoRetryOutOfRange(t *testing.T) {
	t.Parallel()
	for name, p := range map[string]bellwire.RetryPolicy{
		"zero": {}, "standard": bellwire.StandardRetryPolicy(), "interval": {Interval: duration(time.Second), Count: 100},
		"growth": {Initial: duration(time.Millisecond), Factor: 1, MaxElapsed: duration(time.Hour)},
	} {
		t.Run(name, func(t *testing.T) {
			for _, retry := range []int{math.MinInt, -1, 0, bellwire.MaxRetries + 1, math.MaxInt} {
				if delay, more := p.Delay(retry, 0); more || delay != 0 {
					t.Errorf("%s: retry %d comes after %s", name, retry, delay)
				}
			}
		})
	}
}

// policies draws policies that Check takes.
func policies() *rapid.Generator[bellwire.RetryPolicy] {
	length := func(t *rapid.T, name string, least, most time.Duration) bellwire.Duration {
		return bellwire.Duration(rapid.Int64Range(int64(least), int64(most)).Draw(t, name))
	}
	return rapid.Custom(func(t *rapid.T) bellwire.RetryPolicy {
		p := bellwire.RetryPolicy{Jitter: rapid.Float64Range(0, 1).Draw(t, "jitter")}
		switch rapid.IntRange(0, 2).Draw(t, "form") {
		case 0:
			for range rapid.IntRange(0, bellwire.MaxRetries).Draw(t, "retries") {
				p.Schedule = append(p.Schedule, length(t, "delay", 0, bellwire.MaxRetryDelay))
			}
		case 1:
			p.Interval = length(t, "interval", time.Millisecond, bellwire.MaxRetryDelay)
			p.Count = rapid.IntRange(0, bellwire.MaxRetries).Draw(t, "count")
		default:
			p.Initial = length(t, "initial", time.Millisecond, bellwire.MaxRetryDelay)
			p.Factor = rapid.Float64Range(1, 100).Draw(t, "factor")
			p.MaxElapsed = length(t, "elapsed", 0, bellwire.MaxRetries*bellwire.MaxRetryDelay)
			if rapid.Bool().Draw(t, "capped") {
				p.MaxInterval = length(t, "longest", time.Duration(p.Initial), bellwire.MaxRetryDelay)
			}
		}
		return p
	})
}

func TestRetryPolicyProperties(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		p := policies().Draw(t, "policy")
		if err := p.Check(); err != nil {
			t.Fatal(err)
		}
		text, err := json.Marshal(p)
		if err != nil {
			t.Fatal(err)
		}
		var read bellwire.RetryPolicy
		if err := json.Unmarshal(text, &read); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		if diff := cmp.Diff(p, read, cmpopts.EquateEmpty()); diff != "" {
			t.Fatalf("%s reads as:\n%s", text, diff)
		}

		random := rapid.Float64Range(0, math.Nextafter(1, 0)).Draw(t, "random")
		plain := delays(p)
		if len(plain) > bellwire.MaxRetries {
			t.Fatalf("%d retries", len(plain))
		}
		for i, delay := range plain {
			got, more := p.Delay(i+1, random)
			half := float64(delay) * p.Jitter / 2
			if !more || math.Abs(float64(got-delay)) > half+1 || got < 0 || delay > bellwire.MaxRetryDelay {
				t.Fatalf("retry %d comes after %s, off by more than half of %g of %s", i+1, got, p.Jitter, delay)
			}
		}
	})
}

func TestJitterReachesBothSides(t *testing.T) {
	t.Parallel()
	p := bellwire.RetryPolicy{Schedule: []bellwire.Duration{duration(100 * time.Second)}, Jitter: 0.2}
	for random, want := range map[float64]time.Duration{0: 90 * time.Second, 0.5: 100 * time.Second, 0.75: 105 * time.Second} {
		if got, _ := p.Delay(1, random); got != want {
			t.Errorf("random %g: %s, want %s", random, got, want)
		}
	}
}

func FuzzRetryPolicy(f *testing.F) {
	for _, seed := range []string{
		`{"schedule":["5s","5m","72h"],"jitter":0.2}`, `{"schedule":[]}`, `{"schedule":[null]}`, `{"interval":"1s","count":100}`,
		`{"interval":"0s","count":0}`, `{"initial":"1s","factor":1.5,"max_interval":"1h","max_elapsed":"72h"}`,
		`{"initial":"1ms","max_elapsed":"72000h","factor":1e2}`, `{"schedule":["1e400h"]}`, `{"jitter":1e400}`, `{`, ``, `null`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var p bellwire.RetryPolicy
		if err := p.UnmarshalJSON(data); err != nil {
			var e *bellwire.Error
			if !errors.As(err, &e) || e.Code != bellwire.CodeInvalid || !strings.HasPrefix(e.Field, "retry") {
				t.Fatalf("%s: %#v", data, err)
			}
			return
		}
		if err := p.Check(); err != nil {
			t.Fatalf("%s was taken: %v", data, err)
		}
		text, err := json.Marshal(p)
		if err != nil {
			t.Fatal(err)
		}
		var read bellwire.RetryPolicy
		if err := json.Unmarshal(text, &read); err != nil {
			t.Fatalf("%s writes as %s: %v", data, text, err)
		}
		if diff := cmp.Diff(delays(p), delays(read)); diff != "" || p.Jitter != read.Jitter {
			t.Fatalf("%s writes as %s:\n%s", data, text, diff)
		}
	})
}

func TestDuration(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"5s": "5s", "0": "0s", "0s": "0s", "90s": "1m30s", "5m": "5m", "10m0s": "10m", "72h": "72h", "1h0m5s": "1h0m5s",
		"1h30m": "1h30m", "100ms": "100ms", "1.5h": "1h30m", "-5m": "-5m", "30d": "720h", "1d12h": "36h", "2540400h": "2540400h",
	} {
		t.Run(text, func(t *testing.T) {
			var d bellwire.Duration
			if err := d.UnmarshalText([]byte(text)); err != nil {
				t.Errorf("%q: %v", text, err)
				return
			}
			if written, err := d.MarshalText(); err != nil || string(written) != want || d.String() != want {
				t.Errorf("%q writes as %q, %v", text, written, err)
			}
		})
	}
	for _, text := range []string{"", "5", "s", "5 s", "d", "1h1d", "NaN", "Infs", "9999999999h"} {
		t.Run(text, func(t *testing.T) {
			d := duration(time.Second)
			if err := d.UnmarshalText([]byte(text)); bellwire.CodeOf(err) != bellwire.CodeInvalid || d != duration(time.Second) {
				t.Errorf("%q: %s, %v", text, d, err)
			}
		})
	}
	rapid.Check(t, func(t *rapid.T) {
		want := bellwire.Duration(rapid.Int64().Draw(t, "ns"))
		text, _ := want.MarshalText() // never fails
		var got bellwire.Duration
		if err := got.UnmarshalText(text); err != nil || got != want {
			t.Fatalf("%s reads as %s, %v", text, got, err)
		}
	})
}

func TestParseDuration(t *testing.T) {
	t.Parallel()
	const day = 24 * time.Hour
	for text, want := range map[string]time.Duration{
		"0": 0, "30s": 30 * time.Second, "30d": 30 * day, "1d12h": 36 * time.Hour, "0.5d": 12 * time.Hour, "-1d": -day, "365d": 365 * day,
	} {
		t.Run(text, func(t *testing.T) {
			if got, ok := bellwire.ParseDuration(text); !ok || got != want {
				t.Errorf("%q is %v, %v; want %v", text, got, ok, want)
			}
		})
	}
	for _, text := range []string{"", "d", "30", "1h1d", "1d-1h", "1e9d", "106751d24h", "NaNd", "--1d", "1d1d", "+1d1"} {
		t.Run(text, func(t *testing.T) {
			if got, ok := bellwire.ParseDuration(text); ok {
				t.Errorf("%q is %v", text, got)
			}
		})
	}
}
