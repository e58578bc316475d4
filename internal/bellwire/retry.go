package bellwire

import (
	"encoding/json"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Bounds on retry policies.
const (
	MaxRetries    = 100
	MaxRetryDelay = 30 * 24 * time.Hour
)

// RetryPolicy says when a failed delivery is attempted again. Exactly one of its three forms is set: a Schedule of delays, an
// Interval with a Count, or exponential growth from Initial. The zero value never retries.
//
// MaxElapsed is wall-clock time since Delivery.Since: it includes waiting for other reasons, such as an open circuit breaker. In
// the other forms, such waiting uses up no retries and has no limit.
type RetryPolicy struct {
	Schedule []Duration // the delay before each retry

	Interval Duration // the delay before each of Count retries
	Count    int

	Initial     Duration // the delay before the first retry
	Factor      float64  // by which each delay is multiplied for the next; at least 1
	MaxInterval Duration // the longest delay before Jitter; 0 for MaxRetryDelay
	MaxElapsed  Duration // no retry is due later, unless Retry-After or Limits.MinRetryDelay puts it off; what waits longer behind an open breaker or a rest is ended

	Jitter float64 // 0 to 1; 0.2 varies each delay by up to 10 % in either direction
}

// StandardRetryPolicy returns the schedule that Standard Webhooks recommends: nine retries over three days.
func StandardRetryPolicy() RetryPolicy {
	return RetryPolicy{
		Schedule: []Duration{
			Duration(5 * time.Second), Duration(5 * time.Minute), Duration(30 * time.Minute),
			Duration(2 * time.Hour), Duration(5 * time.Hour), Duration(10 * time.Hour),
			Duration(14 * time.Hour), Duration(20 * time.Hour), Duration(24 * time.Hour),
		},
		Jitter: 0.2,
	}
}

// Fixed reports whether the policy has an interval and a count.
func (p RetryPolicy) Fixed() bool { return p.Initial == 0 && (p.Interval > 0 || p.Count > 0) }

// Delay returns the delay before the given retry, counted from 1, and false if there is no such retry. random is in [0, 1).
func (p RetryPolicy) Delay(retry int, random float64) (time.Duration, bool) {
	delay, ok := p.plain(retry)
	if !ok {
		return 0, false
	}
	return time.Duration(float64(delay) * (1 + p.Jitter*(random-0.5))), true
}

func (p RetryPolicy) plain(retry int) (time.Duration, bool) {
	switch {
	case retry < 1 || retry > MaxRetries:
		return 0, false
	case p.Initial > 0:
		return p.exponential(retry)
	case p.Count > 0:
		return time.Duration(p.Interval), retry <= p.Count
	case retry <= len(p.Schedule):
		return time.Duration(p.Schedule[retry-1]), true
	}
	return 0, false
}

// exponential adds up the delays without jitter, so that jitter does not change how many retries there are.
func (p RetryPolicy) exponential(retry int) (time.Duration, bool) {
	longest := float64(MaxRetryDelay)
	if p.MaxInterval > 0 {
		longest = float64(p.MaxInterval)
	}
	elapsed, delay := 0.0, 0.0
	for n := range retry {
		delay = min(float64(p.Initial)*math.Pow(p.Factor, float64(n)), longest)
		elapsed += delay
		if elapsed > float64(p.MaxElapsed) {
			return 0, false
		}
	}
	return time.Duration(delay), true
}

// retryPolicyJSON is the contract's form of a policy. Nil fields are left out.
type retryPolicyJSON struct {
	Schedule    *[]Duration `json:"schedule,omitempty"`
	Interval    *Duration   `json:"interval,omitempty"`
	Count       *int        `json:"count,omitempty"`
	Initial     *Duration   `json:"initial,omitempty"`
	Factor      *float64    `json:"factor,omitempty"`
	MaxInterval *Duration   `json:"max_interval,omitempty"`
	MaxElapsed  *Duration   `json:"max_elapsed,omitempty"`
	Jitter      *float64    `json:"jitter,omitempty"`
}

// MarshalJSON returns the policy in the form of the native API.
func (p RetryPolicy) MarshalJSON() ([]byte, error) {
	var out retryPolicyJSON
	switch {
	case p.Initial > 0:
		out.Initial, out.Factor, out.MaxElapsed = &p.Initial, &p.Factor, &p.MaxElapsed
		if p.MaxInterval > 0 {
			out.MaxInterval = &p.MaxInterval
		}
	case p.Fixed():
		out.Interval, out.Count = &p.Interval, &p.Count
	default:
		schedule := p.Schedule
		if schedule == nil {
			schedule = []Duration{}
		}
		out.Schedule = &schedule
	}
	if p.Jitter > 0 {
		out.Jitter = &p.Jitter
	}
	return json.Marshal(out)
}

// UnmarshalJSON parses a policy in the form of the native API. Its error is an *Error with CodeInvalid.
func (p *RetryPolicy) UnmarshalJSON(data []byte) error {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(data, &fields); err != nil {
		return errPolicyForm()
	}
	var (
		in     retryPolicyJSON
		faults []error
	)
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		faults = append(faults, in.read(name, fields[name]))
	}
	if err := Join(faults...); err != nil {
		return err
	}
	read, err := in.policy()
	if err != nil {
		return err
	}
	*p = read
	return nil
}

// read reads one field.
func (in *retryPolicyJSON) read(name string, value json.RawMessage) error {
	field := "retry." + name
	switch name {
	case "schedule":
		return in.readSchedule(value)
	case "interval":
		return readField(field, value, &in.Interval, durationForm)
	case "count":
		return readField(field, value, &in.Count, "must be a whole number")
	case "initial":
		return readField(field, value, &in.Initial, durationForm)
	case "factor":
		return readField(field, value, &in.Factor, "must be a number")
	case "max_interval":
		return readField(field, value, &in.MaxInterval, durationForm)
	case "max_elapsed":
		return readField(field, value, &in.MaxElapsed, durationForm)
	case "jitter":
		return readField(field, value, &in.Jitter, "must be a number")
	}
	return Invalid(field, "is not a known field")
}

func (in *retryPolicyJSON) readSchedule(value json.RawMessage) error {
	var elements *[]json.RawMessage
	if err := json.Unmarshal(value, &elements); err != nil {
		return Invalid("retry.schedule", "must be an array of durations")
	}
	if elements == nil {
		return nil
	}
	schedule := make([]Duration, len(*elements))
	faults := make([]error, len(*elements))
	for i, element := range *elements {
		faults[i] = readField("retry.schedule["+strconv.Itoa(i)+"]", element, &schedule[i], durationForm)
	}
	in.Schedule = &schedule
	return Join(faults...)
}

func readField(field string, value json.RawMessage, into any, form string) error {
	if json.Unmarshal(value, into) != nil {
		return Invalid(field, "%s", form)
	}
	return nil
}

func errPolicyForm() error {
	err := Invalid("retry", "must have either schedule, or interval and count, or initial and max_elapsed")
	err.Hint = `Delays are text, such as "5s". With initial, factor and max_interval may be given; jitter may be given in each case.`
	return err
}

func (in retryPolicyJSON) policy() (RetryPolicy, error) {
	fixed := in.Interval != nil || in.Count != nil
	growing := in.Initial != nil || in.Factor != nil || in.MaxInterval != nil || in.MaxElapsed != nil
	forms := 0
	for _, given := range []bool{in.Schedule != nil, fixed, growing} {
		if given {
			forms++
		}
	}
	if forms != 1 {
		return RetryPolicy{}, errPolicyForm()
	}
	var p RetryPolicy
	if in.Jitter != nil {
		p.Jitter = *in.Jitter
	}
	switch {
	case in.Schedule != nil:
		p.Schedule = slices.Clone(*in.Schedule)
	case fixed:
		if in.Interval == nil || in.Count == nil {
			return p, Invalid("retry", "must have both interval and count")
		}
		p.Interval, p.Count = *in.Interval, *in.Count
	default:
		if in.Initial == nil || in.MaxElapsed == nil {
			return p, Invalid("retry", "must have both initial and max_elapsed")
		}
		p.Initial, p.MaxElapsed, p.Factor = *in.Initial, *in.MaxElapsed, 2
		if in.Factor != nil {
			p.Factor = *in.Factor
		}
		if in.MaxInterval != nil {
			p.MaxInterval = *in.MaxInterval
		}
		if p.Initial == 0 {
			return p, Invalid("retry.initial", "must be longer than 0s")
		}
	}
	return p, p.Check()
}

// Check refuses a policy with values that are out of bounds.
func (p RetryPolicy) Check() error {
	if !(p.Jitter >= 0 && p.Jitter <= 1) {
		return Invalid("retry.jitter", "must be between 0 and 1")
	}
	if len(p.Schedule) > MaxRetries || p.Count < 0 || p.Count > MaxRetries {
		return Invalid("retry", "must have between 0 and %d retries", MaxRetries)
	}
	for _, d := range append([]Duration{p.Interval, p.Initial, p.MaxInterval}, p.Schedule...) {
		if d < 0 || time.Duration(d) > MaxRetryDelay {
			return Invalid("retry", "must have delays between 0s and %s", Duration(MaxRetryDelay))
		}
	}
	if p.Count > 0 && time.Duration(p.Interval) < time.Millisecond {
		return Invalid("retry.interval", "must be at least 1ms")
	}
	if p.Initial > 0 {
		return p.checkGrowth()
	}
	return nil
}

// CheckDelays refuses policies with a delay below the least one. source says where that comes from, empty to leave it open.
func (p RetryPolicy) CheckDelays(least time.Duration, source string) error {
	if source != "" {
		source = " (" + source + ")"
	}
	var faults []error
	check := func(field string, d Duration) {
		if time.Duration(d) < least {
			faults = append(faults, Invalid(field, "must be at least %s%s", Duration(least), source))
		}
	}
	for i, d := range p.Schedule {
		check("retry.schedule["+strconv.Itoa(i)+"]", d)
	}
	if p.Count > 0 {
		check("retry.interval", p.Interval)
	}
	if p.Initial > 0 {
		check("retry.initial", p.Initial)
	}
	return Join(faults...)
}

func (p RetryPolicy) checkGrowth() error {
	switch {
	case time.Duration(p.Initial) < time.Millisecond:
		return Invalid("retry.initial", "must be at least 1ms")
	case !(p.Factor >= 1 && p.Factor <= 100):
		return Invalid("retry.factor", "must be between 1 and 100")
	case p.MaxInterval > 0 && p.MaxInterval < p.Initial:
		return Invalid("retry.max_interval", "must not be shorter than initial")
	case p.MaxElapsed < 0 || time.Duration(p.MaxElapsed) > MaxRetries*MaxRetryDelay:
		return Invalid("retry.max_elapsed", "must be between 0s and %s", Duration(MaxRetries*MaxRetryDelay))
	}
	return nil
}

// Duration is a time.Duration that is text in JSON, such as "5s", "72h" or "30d".
type Duration time.Duration

// String returns the duration as time.Duration does, without trailing zero units: "72h", not "72h0m0s".
func (d Duration) String() string {
	s := time.Duration(d).String()
	if strings.HasSuffix(s, "m0s") {
		s = s[:len(s)-len("0s")]
	}
	if strings.HasSuffix(s, "h0m") {
		s = s[:len(s)-len("0m")]
	}
	return s
}

// MarshalText returns what String returns.
func (d Duration) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// durationForm says what a Duration's text must be. It is a predicate, as the Message of an Error with a Field.
const durationForm = `must be a duration, such as "5s", "72h" or "30d"`

// UnmarshalText parses a duration as ParseDuration does. Its error is an *Error with CodeInvalid.
func (d *Duration) UnmarshalText(text []byte) error {
	parsed, ok := ParseDuration(string(text))
	if !ok {
		return &Error{Code: CodeInvalid, Message: durationForm}
	}
	*d = Duration(parsed)
	return nil
}

// ParseDuration is time.ParseDuration with days: 30d, 1d12h.
func ParseDuration(text string) (time.Duration, bool) {
	unsigned := strings.TrimPrefix(text, "-")
	whole, rest, found := strings.Cut(unsigned, "d")
	if !found {
		d, err := time.ParseDuration(text)
		return d, err == nil
	}
	days, err := strconv.ParseFloat(whole, 64)
	if err != nil || !(days >= 0 && days < math.MaxInt64/float64(24*time.Hour)) {
		return 0, false
	}
	d := time.Duration(days * float64(24*time.Hour))
	if rest != "" {
		more, err := time.ParseDuration(rest)
		if err != nil || more < 0 || d+more < d {
			return 0, false
		}
		d += more
	}
	if unsigned != text {
		d = -d
	}
	return d, true
}
