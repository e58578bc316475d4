package client

import (
	"encoding/json"
	"time"
)

// RetryPolicy says when a failed delivery is attempted again. It has one of three forms: a Schedule; an Interval and a
// Count; or exponential growth, with Initial and MaxElapsed.
type RetryPolicy struct {
	// Schedule has the delay before each retry. Empty but not nil, there is one attempt only.
	Schedule []time.Duration

	Interval time.Duration // the delay before each retry
	Count    int           // the number of retries

	Initial     time.Duration // the delay before the first retry
	Factor      float64       // by which each delay exceeds the one before it; 0 means 2
	MaxInterval time.Duration // the longest delay; 0 means 30 days
	MaxElapsed  time.Duration // the time after which no retry is made

	// Jitter is the random share of each delay, from 0 to 1.
	Jitter float64
}

// retryJSON is a RetryPolicy in the API.
type retryJSON struct {
	Schedule    []Duration `json:"schedule,omitzero"`
	Interval    *Duration  `json:"interval,omitzero"`
	Count       *int       `json:"count,omitzero"`
	Initial     Duration   `json:"initial,omitzero"`
	Factor      float64    `json:"factor,omitzero"`
	MaxInterval Duration   `json:"max_interval,omitzero"`
	MaxElapsed  Duration   `json:"max_elapsed,omitzero"`
	Jitter      float64    `json:"jitter,omitzero"`
}

// MarshalJSON writes durations as text such as "5s".
func (p RetryPolicy) MarshalJSON() ([]byte, error) {
	out := retryJSON{
		Initial: Duration(p.Initial), Factor: p.Factor, MaxInterval: Duration(p.MaxInterval),
		MaxElapsed: Duration(p.MaxElapsed), Jitter: p.Jitter,
	}
	if p.Schedule != nil {
		out.Schedule = make([]Duration, len(p.Schedule))
		for i, delay := range p.Schedule {
			out.Schedule[i] = Duration(delay)
		}
	}
	if p.Interval != 0 || p.Count != 0 {
		out.Interval, out.Count = (*Duration)(&p.Interval), &p.Count
	}
	return json.Marshal(out)
}

// UnmarshalJSON reads what MarshalJSON writes.
func (p *RetryPolicy) UnmarshalJSON(data []byte) error {
	var in retryJSON
	if err := json.Unmarshal(data, &in); err != nil {
		return err
	}
	*p = RetryPolicy{
		Initial: time.Duration(in.Initial), Factor: in.Factor, MaxInterval: time.Duration(in.MaxInterval),
		MaxElapsed: time.Duration(in.MaxElapsed), Jitter: in.Jitter,
	}
	if in.Schedule != nil {
		p.Schedule = make([]time.Duration, len(in.Schedule))
		for i, delay := range in.Schedule {
			p.Schedule[i] = time.Duration(delay)
		}
	}
	if in.Interval != nil {
		p.Interval = time.Duration(*in.Interval)
	}
	if in.Count != nil {
		p.Count = *in.Count
	}
	return nil
}

// Duration is a time.Duration that is text in JSON.
type Duration time.Duration

func (d Duration) MarshalText() ([]byte, error) { return []byte(time.Duration(d).String()), nil }

func (d *Duration) UnmarshalText(text []byte) error {
	parsed, err := time.ParseDuration(string(text))
	*d = Duration(parsed)
	return err
}
