package hostile

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// Target is the server under attack.
type Target struct {
	Servers   []string      `json:"servers"` // URLs, without a path
	AdminKey  string        `json:"admin_key"`
	Neighbour string        `json:"neighbour"` // URL of the neighbour's receiver
	Attack    time.Duration `json:"attack"`    // duration of the attack
	Strength  float64       `json:"strength"`  // share of the scenario's numbers, 1 for all
}

const (
	victim     = "hostile"       // the attacking tenant
	eventType  = "hostile.event" // of the events published to it
	setUpTime  = time.Minute     // for one request while a scenario is prepared
	setUpHands = 8               // concurrent requests while a scenario is prepared
)

// attacker carries out a scenario. It is safe for concurrent use.
type attacker struct {
	Target
	receiver *receiver
	client   *http.Client
	turn     atomic.Int64 // of the servers

	mu      sync.Mutex
	answers map[string]int // by status or kind of failure

	// Created by the preparation.
	key, readKey string   // of the tenant
	endpoints    []string // ids
	deliveries   []string // ids
}

func newAttacker(t Target, r *receiver) *attacker {
	return &attacker{
		Target: t, receiver: r, answers: make(map[string]int),
		client: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 256}},
	}
}

// of scales a number by the strength, to at least 1.
func (a *attacker) of(n int) int { return max(1, int(float64(n)*a.Strength)) }

// server returns the servers in turn.
func (a *attacker) server() string {
	return a.Servers[int(a.turn.Add(1))%len(a.Servers)]
}

// count counts an answer.
func (a *attacker) count(answer string) { a.add(answer, 1) }

func (a *attacker) add(answer string, n int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.answers[answer] += n
}

// answered returns the counts since its last call.
func (a *attacker) answered() map[string]int {
	a.mu.Lock()
	defer a.mu.Unlock()
	answers := maps.Clone(a.answers)
	clear(a.answers)
	return answers
}

// call is a request.
type call struct {
	method, path string
	key          string
	headers      map[string]string
	body         []byte
}

// do makes a request, and counts its answer.
func (a *attacker) do(ctx context.Context, c call) (status int, answer []byte) {
	request, err := http.NewRequestWithContext(ctx, c.method, a.server()+c.path, bytes.NewReader(c.body))
	if err != nil {
		panic(err) // the scenario has an invalid URL
	}
	if c.key != "" {
		request.Header.Set("Authorization", "Bearer "+c.key)
	}
	if c.body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	for name, value := range c.headers {
		request.Header.Set(name, value)
	}
	response, err := a.client.Do(request)
	if err == nil {
		defer response.Body.Close()
		answer, err = io.ReadAll(response.Body)
	}
	switch {
	case err != nil && ctx.Err() != nil:
		a.count("unanswered")
		return 0, nil
	case err != nil:
		a.count(failure(err))
		return 0, nil
	}
	a.count(strconv.Itoa(response.StatusCode))
	return response.StatusCode, answer
}

// failure names the reason for a missing answer.
func failure(err error) string {
	var timeout net.Error
	if errors.As(err, &timeout) && timeout.Timeout() {
		return "timeout"
	}
	return "cut off"
}

// native calls the native API, with in as its JSON body unless that is nil.
func (a *attacker) native(ctx context.Context, key, method, path string, in any) (status int, answer []byte) {
	c := call{method: method, path: "/api/v1" + path, key: key}
	if in != nil {
		c.body = mustJSON(in)
	}
	return a.do(ctx, c)
}

func mustJSON(in any) []byte {
	body, err := json.Marshal(in)
	if err != nil {
		panic(err) // the scenario has a value that is not JSON
	}
	return body
}

// must calls the native API, fails if that fails, and reads the answer into out unless that is nil.
func (a *attacker) must(ctx context.Context, key, method, path string, in, out any) error {
	ctx, cancel := context.WithTimeout(ctx, setUpTime)
	defer cancel()
	status, answer := a.native(ctx, key, method, path, in)
	if status < 200 || status > 299 {
		return fmt.Errorf("%s %s answered %d: %.300s", method, path, status, answer)
	}
	if out == nil {
		return nil
	}
	return json.Unmarshal(answer, out)
}

type object = map[string]any

// tenantPath returns a path below the attacking tenant.
func tenantPath(rest string) string { return "/tenants/" + victim + rest }

// makeTenant creates the tenant, its keys and its event type.
func (a *attacker) makeTenant(ctx context.Context) error {
	if err := a.must(ctx, a.AdminKey, "PUT", "/event-types/"+eventType, object{}, nil); err != nil {
		return err
	}
	if err := a.must(ctx, a.AdminKey, "POST", "/tenants", object{"id": victim}, nil); err != nil {
		return err
	}
	for role, key := range map[string]*string{"tenant": &a.key, "tenant-read": &a.readKey} {
		var made struct{ Secret string }
		if err := a.must(ctx, a.AdminKey, "POST", tenantPath("/keys"), object{"role": role}, &made); err != nil {
			return err
		}
		*key = made.Secret
	}
	return nil
}

// makeEndpoints creates the tenant, and up to n endpoints for all events, as far as its limits allow.
func (a *attacker) makeEndpoints(ctx context.Context, n int, url string, more object) error {
	if err := a.makeTenant(ctx); err != nil {
		return err
	}
	in := object{"url": url, "events": []string{"*"}}
	maps.Copy(in, more)
	return a.addEndpoints(ctx, n, in)
}

// makeWorstEndpoints does the same with the first input that the server accepts. The worst one for the server comes first.
func (a *attacker) makeWorstEndpoints(ctx context.Context, n int, inputs ...object) error {
	err := a.makeTenant(ctx)
	if err != nil {
		return err
	}
	for _, in := range inputs {
		if err = a.addEndpoints(ctx, n, in); err == nil {
			break
		}
	}
	return err
}

// addEndpoints creates up to n more endpoints. A limit that the server enforces is not an error.
func (a *attacker) addEndpoints(ctx context.Context, n int, in object) error {
	var (
		mu      sync.Mutex
		refused error
	)
	times(setUpHands, a.of(n), func(int) bool {
		var made struct{ ID string }
		err := a.must(ctx, a.AdminKey, "POST", tenantPath("/endpoints"), in, &made)
		mu.Lock()
		defer mu.Unlock()
		if err != nil {
			refused = err
			return false
		}
		a.endpoints = append(a.endpoints, made.ID)
		return true
	})
	if len(a.endpoints) == 0 {
		return fmt.Errorf("no endpoint created: %w", refused)
	}
	return nil
}

// event returns an event with data of the given size.
func event(bytes int) object {
	return object{"type": eventType, "data": object{"pad": padding(bytes)}}
}

// padding returns a text of the given size.
func padding(n int) string { return string(bytes.Repeat([]byte("x"), n)) }

// eventBody returns a publish of one event, batchBody one of n.
func eventBody(bytes int) []byte { return mustJSON(event(bytes)) }

func batchBody(n, bytes int) []byte {
	events := make([]object, n)
	for i := range events {
		events[i] = event(bytes)
	}
	return mustJSON(object{"events": events})
}

// publish publishes an encoded event to the tenant.
func (a *attacker) publish(ctx context.Context, body []byte) int {
	status, _ := a.do(ctx, call{method: "POST", path: "/api/v1" + tenantPath("/events"), key: a.AdminKey, body: body})
	return status
}

func (a *attacker) publishBatch(ctx context.Context, body []byte) int {
	status, _ := a.do(ctx, call{method: "POST", path: "/api/v1" + tenantPath("/events/batch"), key: a.AdminKey, body: body})
	return status
}

// fill publishes n small events in batches, before the attack.
func (a *attacker) fill(ctx context.Context, n int) error {
	const batch = 500
	body := batchBody(batch, 100)
	for done := 0; done < a.of(n); done += batch {
		if status := a.publishBatch(ctx, body); status != http.StatusAccepted {
			return fmt.Errorf("batch before the attack answered %d", status)
		}
	}
	return nil
}

// escaped returns a value for a query.
func escaped(text string) string { return url.QueryEscape(text) }

// times calls f with 0 to n-1 from a number of goroutines, until a call returns false.
func times(hands, n int, f func(i int) bool) {
	var (
		next    atomic.Int64
		stopped atomic.Bool
		group   sync.WaitGroup
	)
	for range min(hands, n) {
		group.Go(func() {
			for !stopped.Load() {
				i := int(next.Add(1)) - 1
				if i >= n {
					return
				}
				if !f(i) {
					stopped.Store(true)
				}
			}
		})
	}
	group.Wait()
}

// repeat calls f from a number of goroutines, at most perSecond times a second, until ctx ends. It skips calls that are late,
// so that the load is steady, without bursts after a stall.
func repeat(ctx context.Context, hands int, perSecond float64, f func(i int)) {
	pace := &pace{each: time.Duration(float64(time.Second) / perSecond)}
	var group sync.WaitGroup
	for range hands {
		group.Go(func() {
			for {
				i, due := pace.take()
				if !sleep(ctx, time.Until(due)) {
					return
				}
				f(i)
			}
		})
	}
	group.Wait()
}

// pace hands out times at a steady rate.
type pace struct {
	each time.Duration

	mu    sync.Mutex
	next  time.Time
	given int
}

func (p *pace) take() (i int, due time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	due = p.next
	if now := time.Now(); due.Before(now) {
		due = now
	}
	p.next = due.Add(p.each)
	p.given++
	return p.given - 1, due
}

// sleep waits, and reports whether ctx has not ended.
func sleep(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return ctx.Err() == nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// together runs the parts of an attack concurrently.
func together(parts ...func()) {
	var group sync.WaitGroup
	for _, part := range parts {
		group.Go(part)
	}
	group.Wait()
}
