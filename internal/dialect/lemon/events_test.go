package lemon_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/dialecttest"
	"github.com/bellwire/bellwire/internal/service"
)

// listing is a page of events, with the bytes of each.
type listing struct {
	Data       []json.RawMessage `json:"data"`
	Pagination struct {
		NextCursor *string `json:"next_cursor"`
	} `json:"pagination"`
}

// list returns a page of events.
func list(t *testing.T, w *dialecttest.World, key string, query url.Values) listing {
	t.Helper()
	answer := w.Call(key, "GET", "/v1/events?"+query.Encode(), privacy(), "")
	var page listing
	if err := json.Unmarshal(answer.Body.Bytes(), &page); err != nil || answer.Code != 200 || answer.Header().Get("Content-Type") != "application/json" {
		t.Fatalf("%s: %d %s", query.Encode(), answer.Code, answer.Body)
	}
	if !bytes.Contains(answer.Body.Bytes(), []byte(`],"pagination":{"next_cursor":`)) {
		t.Errorf("%s", answer.Body)
	}
	return page
}

func privacy() http.Header {
	h := http.Header{}
	for _, line := range []string{principal, justification} {
		name, value, _ := strings.Cut(line, ": ")
		h.Set(name, value)
	}
	return h
}

// walk follows the cursors to the end of a list.
func walk(t *testing.T, w *dialecttest.World, query url.Values) (pages []int, elements []string) {
	t.Helper()
	for {
		page := list(t, w, "tenant", query)
		pages = append(pages, len(page.Data))
		for _, e := range page.Data {
			elements = append(elements, string(e))
		}
		if page.Pagination.NextCursor == nil {
			return pages, elements
		}
		query = url.Values{"cursor": {*page.Pagination.NextCursor}}
	}
}

func query(pairs ...string) url.Values {
	v := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		v.Set(pairs[i], pairs[i+1])
	}
	return v
}

var published = []struct{ eventType, data string }{
	{"account.created", `{"account": "cusa_1"}`},
	{"order.created", "{\n  \"account\":\"cusa_1\",\"order\":\"ord_1\", \"n\":1E400,\"s\":\"\\u00e9\\/\"\n}"},
	{"order.executed", `{"account":"cusa_2","order":"ord_2"}`},
	{"account.created", `{"\u0061ccount":"cusa_\u0032"}`},
	{"order.created", `{}`},
	{"order.created", `{"order":1.0,"account":["cusa_1"],"nested":{"account":"cusa_1"}}`},
}

// shape is the vendor's form of an event.
var shape = regexp.MustCompile(`(?s)\A\{"id":"evt_[0-9a-f]{32}","type":"[a-z._]+","created_at":"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}\+00:00","context":\{.*\}\}\z`)

// The list has every delivered event byte for byte, and also events without a subscription.
func TestEventsMatchDeliveries(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	receiver := dialecttest.NewReceiver(t)
	w.Vars["url"] = receiver.URL
	run(t, w, step{Name: "create", Do: "POST /v1/webhooks", Body: `{"url":"{url}","events":["account.created","order.created"]}`, Status: 201,
		Want: `{<any>,"id":"<id:any>",<any>}`})
	if _, err := w.Native(w.Vars["id"], service.EndpointInput{Retry: &bellwire.RetryPolicy{Schedule: []bellwire.Duration{bellwire.Duration(time.Millisecond)}}}); err != nil {
		t.Fatal(err)
	}
	var want []string
	for _, p := range published {
		t.Run(p.eventType, func(t *testing.T) {
			receiver.Answer(500)
			w.Publish(p.eventType, p.data)
			if p.eventType == "order.executed" {
				receiver.Answer() // nobody wants it
				want = append(want, "")
				return
			}
			first, again := receiver.Next(), receiver.Next()
			if !bytes.Equal(first.Body, again.Body) {
				t.Errorf("%s, then %s", first.Body, again.Body)
			}
			want = append(want, string(first.Body))
		})
	}
	pages, oldest := walk(t, w, query("sort", "asc"))
	if len(pages) != 1 || len(oldest) != len(want) {
		t.Fatalf("%d pages, %q", len(pages), oldest)
	}
	want[2] = oldest[2]
	if diff := cmp.Diff(want, oldest); diff != "" {
		t.Error(diff)
	}
	for i, element := range oldest {
		if !shape.MatchString(element) || !strings.HasSuffix(element, `,"context":`+published[i].data+`}`) {
			t.Errorf("%s", element)
		}
	}
	slices.Reverse(oldest)
	for _, q := range []url.Values{nil, query("sort", "desc")} {
		if _, newest := walk(t, w, q); !slices.Equal(newest, oldest) {
			t.Errorf("%v: %q", q, newest)
		}
	}
	if theirs := list(t, w, "other", nil); len(theirs.Data) != 0 || theirs.Pagination.NextCursor != nil {
		t.Errorf("a stranger sees %s", theirs.Data)
	}
	if mine := list(t, w, "tenant-read", nil); len(mine.Data) != len(published) {
		t.Errorf("who may read sees %s", mine.Data)
	}
}

// contextKeys are the filters that the vendor documents.
var contextKeys = strings.Fields("account batch_order identification order person securities_account securities_transfer sweep " +
	"tax_exemption_order trade transaction treasury_mandate treasury_transfer update workflow")

func TestFilters(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ids := map[string]int{}
	for i, p := range published {
		ids[w.Publish(p.eventType, p.data).String()] = i
	}
	found := func(q url.Values) []int {
		q.Set("sort", "asc")
		_, elements := walk(t, w, q)
		order := []int{}
		for _, e := range elements {
			var event struct{ ID string }
			if err := json.Unmarshal([]byte(e), &event); err != nil {
				t.Fatal(err)
			}
			order = append(order, ids[event.ID])
		}
		return order
	}
	for _, c := range []struct {
		query url.Values
		want  []int
	}{
		{query("type", "order.created"), []int{1, 4, 5}},
		{query("type", "order.rejected"), []int{}},
		{query("context.account", "cusa_1"), []int{0, 1}},
		{query("context.account", "cusa_2"), []int{2, 3}}, // escaped name and value
		{query("context.account", "cusa"), []int{}},
		{query("context.account", ""), []int{}},
		{query("context.order", "1.0"), []int{}}, // that is a number there
		{query("context.account", "cusa_1", "context.order", "ord_1"), []int{1}},
		{query("context.account", "cusa_1", "context.order", "ord_2"), []int{}},
		{query("context.account", "cusa_1", "type", "account.created"), []int{0}},
	} {
		t.Run(c.query.Encode(), func(t *testing.T) {
			if got := found(maps.Clone(c.query)); !slices.Equal(got, c.want) {
				t.Errorf("%v: %v, want %v", c.query, got, c.want)
			}
			c.query.Set("limit", "1") // with a cursor behind each
			if got := found(c.query); !slices.Equal(got, c.want) {
				t.Errorf("%v: %v, want %v", c.query, got, c.want)
			}
		})
	}
	for _, key := range contextKeys {
		id := key + "_0953534cf20f414098533680abd6b1c7"
		ids[w.Publish("workflow.created", `{"a":"`+id+`","`+key+`":"`+id+`"}`).String()] = 100
		if got := found(query("context."+key, id)); !slices.Equal(got, []int{100}) {
			t.Errorf("%s: %v", key, got)
		}
		if got := found(query("context."+key, id[1:])); len(got) != 0 {
			t.Errorf("%s: %v", key, got)
		}
	}
}

// since is inclusive to the microsecond, in every form of a time.
func TestSince(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for range 3 {
		w.Publish("account.created", `{}`)
	}
	_, all := walk(t, w, query("sort", "asc"))
	var second struct {
		CreatedAt string `json:"created_at"`
	}
	if err := json.Unmarshal([]byte(all[1]), &second); err != nil {
		t.Fatal(err)
	}
	at, err := time.Parse(time.RFC3339, second.CreatedAt)
	if err != nil {
		t.Fatal(err)
	}
	for since, want := range map[string]int{
		url.QueryEscape(second.CreatedAt):                                            2,
		second.CreatedAt:                                                             2, // as it is: the plus sign is read as a space
		at.UTC().Format(time.RFC3339Nano):                                            2,
		at.Add(1).UTC().Format(time.RFC3339Nano):                                     1, // a nanosecond later
		at.Add(time.Microsecond).UTC().Format(time.RFC3339Nano):                      1,
		at.Add(-time.Microsecond).UTC().Format(time.RFC3339Nano):                     2,
		url.QueryEscape(at.In(time.FixedZone("", 5*60*60)).Format(time.RFC3339Nano)): 2,
		"1970-01-01T00:00:00Z":                                                       3, "0001-01-01T00:00:00Z": 3, "0000-01-01T00:00:00%2B23:00": 3, "9999-12-31T00:00:00Z": 0,
	} {
		t.Run(since, func(t *testing.T) {
			answer := w.Call("tenant", "GET", "/v1/events?since="+since, privacy(), "")
			var page listing
			if err := json.Unmarshal(answer.Body.Bytes(), &page); err != nil || len(page.Data) != want {
				t.Errorf("%s: %d %s, want %d", since, answer.Code, answer.Body, want)
			}
		})
	}
	if pages, got := walk(t, w, query("since", second.CreatedAt, "limit", "1")); len(got) != 2 || pages[0] != 1 {
		t.Errorf("the cursor forgets since: %v %q", pages, got)
	}
}

// A cursor has the whole search. Of parameters beside it only the limit counts.
func TestCursor(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for i := range 7 {
		w.Publish("order.created", `{"account":"cusa_`+strconv.Itoa(i%2)+`","n":`+strconv.Itoa(i)+`}`)
		w.Publish("account.created", `{"account":"cusa_0"}`)
	}
	search := query("type", "order.created", "context.account", "cusa_0", "sort", "asc", "limit", "3")
	pages, elements := walk(t, w, search)
	if len(elements) != 4 || pages[0] != 3 {
		t.Fatalf("%v, %q", pages, elements)
	}
	first := list(t, w, "tenant", search)
	for name, q := range map[string]url.Values{
		"alone": {}, "with the same": maps.Clone(search), "with others": query("type", "account.created", "sort", "desc", "context.account", "x"),
	} {
		q.Set("cursor", *first.Pagination.NextCursor)
		if rest := list(t, w, "tenant", q); len(rest.Data) != 1 || string(rest.Data[0]) != elements[3] {
			t.Errorf("%s: %s", name, rest.Data)
		}
	}
	// New events are seen by a client that pages forward.
	w.Publish("order.created", `{"account":"cusa_0","n":7}`)
	if rest := list(t, w, "tenant", query("cursor", *first.Pagination.NextCursor)); len(rest.Data) != 2 {
		t.Errorf("%s", rest.Data)
	}
	// A cursor of another tenant is refused.
	run(t, w, step{Name: "another's cursor", Key: "other", Do: "GET /v1/events?cursor=" + *first.Pagination.NextCursor, Status: 400, Want: message("Error in 'query.cursor': <any>")})
}

func TestDefaultLimit(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	drafts := make([]service.Draft, 205)
	for i := range drafts {
		drafts[i] = service.Draft{Type: "account.created", Data: []byte(`{"n":` + strconv.Itoa(i) + `}`)}
	}
	if _, err := w.Service.PublishBatch(t.Context(), dialecttest.Admin, w.Tenant, drafts); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		query url.Values
		want  []int
	}{
		{nil, []int{100, 100, 5}}, {query("limit", "100"), []int{100, 100, 5}}, {query("limit", "50", "sort", "asc"), []int{50, 50, 50, 50, 5}},
	} {
		t.Run(c.query.Encode(), func(t *testing.T) {
			pages, elements := walk(t, w, c.query)
			if diff := cmp.Diff(c.want, pages); diff != "" {
				t.Errorf("%v: %s", c.query, diff)
			}
			slices.Sort(elements)
			if n := len(slices.Compact(elements)); n != 205 {
				t.Errorf("%v: %d different events", c.query, n)
			}
		})
	}
}

// The list has no test events, none that the dialect cannot deliver, and none whose data was erased.
func TestEventsThatAreNotListed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	receiver := dialecttest.NewReceiver(t)
	w.Vars["url"] = receiver.URL
	run(t, w, step{Name: "create", Do: "POST /v1/webhooks", Body: `{"url":"{url}","events":["account.created"]}`, Status: 201, Want: `{<any>,"id":"<id:any>",<any>}`})
	if _, err := w.Service.TestEndpoint(t.Context(), dialecttest.Admin, w.Tenant, w.Vars["id"], "account.created"); err != nil {
		t.Fatal(err)
	}
	if arrival := receiver.Next(); !shape.Match(arrival.Body) {
		t.Errorf("%s", arrival.Body)
	}
	for _, data := range []string{`null`, `"text"`, `[{}]`, `1`} {
		w.Publish("account.created", data)
	}
	erased := w.Publish("account.created", `{"account":"cusa_1"}`)
	if err := w.Service.EraseEvent(t.Context(), dialecttest.Admin, w.Tenant, erased); err != nil {
		t.Fatal(err)
	}
	if page := list(t, w, "tenant", nil); len(page.Data) != 0 || page.Pagination.NextCursor != nil {
		t.Errorf("%s", page.Data)
	}
}

func TestBadSearches(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	run(t, w, []step{
		{Name: "create", Do: "POST /v1/webhooks", Body: seedRequest, Status: 201, Want: seedAnswer},
		{Name: "create", Do: "POST /v1/webhooks", Body: seedRequest, Status: 201, Want: "<any>"},
		{Name: "a cursor of webhooks", Do: "GET /v1/webhooks?limit=1", Status: 200, Want: `{<any>"next_cursor":"<webhooks:any>"}}`},
	}...)
	const (
		cursor = "Error in 'query.cursor': must be the next_cursor of an earlier page of this list, unchanged"
		since  = "Error in 'query.since': must be an RFC 3339 time, such as 2023-06-29T14:40:30.523373+00:00"
		noType = "Error in 'query.type': is not a known event type"
		count  = "Error in 'query.limit': must be a whole number between 1 and 100"
	)
	for q, want := range map[string]string{
		"type=account.crated": noType, "type=": noType, "type=account.*": noType, "type=%00": noType,
		"type=account.created&type=account.opened": "Error in 'query.type': must be given only once",
		"since=yesterday":                          since, "since=": since, "since=2023-06-29": since, "since=2023-06-29T14:40:30": since,
		"since=9999-12-31T23:59:59-23:00": since,
		"sort=ASC":                        "Error in 'query.sort': must be asc or desc", "sort=": "Error in 'query.sort': must be asc or desc",
		"limit=0": count, "limit=101": count, "limit=-1": "Error in 'query.limit': must be a whole number between 1 and 100",
		"limit=1.5": "Error in 'query.limit': must be a whole number between 1 and 100",
		"cursor=":   cursor, "cursor=x": cursor, "cursor=e30": cursor, "cursor=e30%3D": cursor, "cursor=bnVsbA": cursor, "cursor={webhooks}": cursor,
		"context.account=" + strings.Repeat("x", 257): "Error in 'query.context.account': must have at most 256 bytes",
		"context.account=%ff":                         "Error in 'query.context.account': must be UTF-8 text",
		"context.sweeps=1":                            "Error in 'query.context.sweeps': is not a known parameter",
		"account=cusa_1":                              "Error in 'query.account': is not a known parameter",
		"%ff=1":                                       "Error in 'query.?': is not a known parameter",
		"a;b":                                         "the query string is not correctly percent-encoded",
	} {
		t.Run(fmt.Sprintf("%.60s", q), func(t *testing.T) {
			run(t, w, step{Name: q, Do: "GET /v1/events?" + q, Status: 400, Want: message(want)})
		})
	}
}
