package test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/bellwire/bellwire/internal/testenv"
)

// send writes a text to the server and returns the answer. It writes everything before it reads anything, as simple
// clients do, and then ends its side if it is to.
func (s *server) send(text string, end bool) (*http.Response, string, error) {
	c, err := net.Dial("tcp", strings.TrimPrefix(s.url, "http://"))
	if err != nil {
		return nil, "", err
	}
	defer c.Close()
	if err := c.SetDeadline(time.Now().Add(patience)); err != nil {
		return nil, "", err
	}
	if _, err := io.WriteString(c, text); err != nil {
		return nil, "", err
	}
	if end {
		if err := c.(*net.TCPConn).CloseWrite(); err != nil {
			return nil, "", err
		}
	}
	resp, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		return nil, "", err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return resp, string(body), err
}

// requestOf is a request as it goes over the wire.
func requestOf(method, path, key, headers, body string) string {
	return method + " /api/v1" + path + " HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + key + "\r\n" + headers + "\r\n" + body
}

func sized(body string) string { return "Content-Length: " + strconv.Itoa(len(body)) + "\r\n" }

func postOf(path, body string) string { return requestOf("POST", path, adminKey, sized(body), body) }

const (
	chunked = "Transfer-Encoding: chunked\r\n"
	publish = "/tenants/acme/events"
)

// manyKeys is an object with so many fields.
func manyKeys(n int) string {
	var b strings.Builder
	b.WriteByte('{')
	for i := range n {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `"k%d":1`, i)
	}
	b.WriteByte('}')
	return b.String()
}

func nested(levels int) string { return strings.Repeat("[", levels) + strings.Repeat("]", levels) }

// Malformed requests of all kinds are refused with an explanation, nothing of them is stored, and other clients are not
// affected.
func TestHostileRequests(t *testing.T) {
	t.Parallel()
	testenv.Long(t)
	s := startServer(t, t.TempDir(), "--max-event-bytes", strconv.Itoa(16<<20))
	s.subscribe("http://receiver.invalid/")
	s.addType("ping")
	event := func(data string) string { return postOf(publish, `{"type":"ping","data":`+data+`}`) }
	tenant := func(metadata string) string { return postOf("/tenants", `{"id":"mallory","metadata":`+metadata+`}`) }
	large := strings.Repeat("x", 8<<20)
	deep := `{"example":` + nested(10_001) + `}`
	nots := `{"schema":` + strings.Repeat(`{"not":`, 5_000) + `true` + strings.Repeat("}", 5_001)

	for name, test := range map[string]struct {
		text   string
		status int
		code   string // of the problem; empty: net/http answers by itself, before there is a request to speak of
	}{
		"no key, a large body":     {requestOf("POST", publish, "wrong", sized(large), large), 401, "unauthenticated"},
		"no such path, large body": {postOf("/nowhere", large), 404, "not_found"},
		"huge headers":             {requestOf("GET", "/tenants", adminKey, "X: "+strings.Repeat("x", 64<<10)+"\r\n", ""), 431, ""},
		"many headers":             {requestOf("GET", "/tenants", adminKey, strings.Repeat("X: y\r\n", 20_000), ""), 431, ""},
		"huge path":                {requestOf("GET", "/"+strings.Repeat("x", 64<<10), adminKey, "", ""), 431, ""},
		"garbage":                  {"\x00\xff\x01 hello\r\n\r\n", 400, ""},
		"NUL in a header":          {requestOf("GET", "/tenants", adminKey, "X: a\x00b\r\n", ""), 400, ""},
		"NUL in a path":            {requestOf("GET", "/tenants/a%00b", adminKey, "", ""), 404, "not_found"},
		"HTTP/2 in the clear":      {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00", 400, ""},
		"two lengths":              {requestOf("POST", publish, adminKey, "Content-Length: 1\r\nContent-Length: 2\r\n", "12"), 400, ""},
		"negative length":          {requestOf("POST", publish, adminKey, "Content-Length: -1\r\n", ""), 400, ""},
		"length and chunks":        {requestOf("POST", publish, adminKey, "Content-Length: 5\r\n"+chunked, "0\r\n\r\n"), 400, "malformed"},
		"less than promised":       {requestOf("POST", publish, adminKey, "Content-Length: 1000\r\n", `{"type":"ping",`), 408, "canceled"},
		"chunks that are none":     {requestOf("POST", publish, adminKey, chunked, "xyz\r\n{}\r\n"), 400, "malformed"},
		"a chunk without end":      {requestOf("POST", publish, adminKey, chunked, "ffffffffffffffffff\r\n{}"), 400, "malformed"},
		"10 001 levels of data":    {event(nested(10_001)), 400, "malformed"},
		"10 001 levels of example": {requestOf("PUT", "/event-types/deep", adminKey, sized(deep), deep), 400, "malformed"},
		"5 000 levels of schema":   {requestOf("PUT", "/event-types/deep", adminKey, sized(nots), nots), 422, "invalid"},
		"a million levels":         {event(nested(1_000_000)), 400, "malformed"},
		"80 000 keys of metadata":  {tenant(manyKeys(80_000)), 422, "invalid"},
		"a million keys":           {postOf("/tenants", manyKeys(1_000_000)), 413, "too_large"},
		"a million unknown fields": {postOf(publish, manyKeys(1_000_000)), 422, "invalid"},
		"not UTF-8":                {event("\"\xff\xfe\""), 400, "malformed"},
		"not UTF-8 in a name":      {postOf("/tenants", "{\"id\":\"\xff\"}"), 400, "malformed"},
		"NUL in JSON":              {event("\"\x00\""), 400, "malformed"},
		"NUL as an id":             {postOf("/tenants", `{"id":"a\u0000b"}`), 422, "invalid"},
		"a number without end":     {event(strings.Repeat("9", 1<<20) + "x"), 400, "malformed"},
	} {
		t.Run(name, func(t *testing.T) {
			resp, body, err := s.send(test.text, name == "less than promised")
			if err != nil {
				t.Fatal(err)
			}
			var problem struct{ Code string }
			if test.code != "" {
				if err := json.Unmarshal([]byte(body), &problem); err != nil {
					t.Errorf("%v: %.200s", err, body)
				}
			}
			if resp.StatusCode != test.status || problem.Code != test.code {
				t.Errorf("answered %d %.300s, want %d %s", resp.StatusCode, body, test.status, test.code)
			}
		})
	}
	if status, body := s.get("/healthz"); status != http.StatusOK {
		t.Errorf("then /healthz answered %d %s", status, body)
	}
	s.holds(0)

	// What is only strange is taken, and shown as it came.
	strange := []byte(nested(9_000))
	id, err := s.publish("ping", strange)
	if err != nil {
		t.Fatal(err)
	}
	var stored struct{ Data json.RawMessage }
	s.call("GET", publish+"/"+id, "", &stored)
	if string(stored.Data) != string(strange) {
		t.Errorf("9 000 levels came back as %.100s", stored.Data)
	}
	s.holds(1)
}

// holds makes sure that there are one tenant and one event type beside those of Bellwire itself, and so many events.
func (s *server) holds(events int) {
	s.t.Helper()
	for path, want := range map[string]int{"/tenants": 2, "/event-types": 10, publish + "?limit=250": events} {
		var list struct{ Data []json.RawMessage }
		s.call("GET", path, "", &list)
		if len(list.Data) != want {
			s.t.Errorf("GET %s lists %d, want %d", path, len(list.Data), want)
		}
	}
}

// Clients that take their time, and thousands that only hold connections, neither keep others out nor use up memory.
func TestSlowClients(t *testing.T) {
	t.Parallel()
	testenv.Long(t)
	s := startServer(t, t.TempDir())
	s.subscribe("http://receiver.invalid/")
	s.addType("ping")
	address := strings.TrimPrefix(s.url, "http://")
	stop := make(chan struct{})
	var slow sync.WaitGroup
	for _, text := range []string{
		"", "GET / HTTP/1.1\r\nX: ", // nothing, and headers that do not end
		requestOf("POST", publish, adminKey, "Content-Length: 1000000\r\n", `{"type":"ping","data":"`),
		requestOf("POST", publish, "wrong", "Content-Length: 1000000\r\n", `{"type":"ping","data":"`),
		requestOf("POST", publish, adminKey, chunked, "1\r\n{\r\n1;"),
	} {
		for range 40 {
			slow.Go(func() { drip(address, text, stop) })
		}
	}
	idle, most := holdIdle(t, address)
	t.Cleanup(func() {
		close(stop)
		for _, c := range idle {
			c.Close()
		}
		slow.Wait()
	})
	var slowest time.Duration
	for range 50 {
		started := time.Now()
		if _, err := s.publish("ping", []byte("1")); err != nil {
			t.Fatal(err)
		}
		slowest = max(slowest, time.Since(started))
	}
	s.holds(50)
	resident := s.resident()
	t.Logf("%d of %d idle connections made; the slowest of 50 publishes took %s; %d MiB resident", len(idle), most, slowest, resident>>20)
	if slowest > patience/4 {
		t.Error("the slowest publish took", slowest)
	}
	if resident > 500<<20 {
		t.Errorf("%d MiB are resident", resident>>20)
	}
}

// drip sends a text and then a byte at a time, until it is stopped or the server has had enough.
func drip(address, text string, stop <-chan struct{}) {
	c, err := net.Dial("tcp", address)
	if err != nil {
		return
	}
	defer c.Close()
	_, err = io.WriteString(c, text)
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for err == nil && text != "" {
		select {
		case <-stop:
			return
		case <-tick.C:
			_, err = io.WriteString(c, "x")
		}
	}
	<-stop
}

// holdIdle opens 11 000 connections, or as many as this process may.
func holdIdle(t *testing.T, address string) (held []net.Conn, most int) {
	t.Helper()
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	most = int(min(uint64(limit.Cur)-min(uint64(limit.Cur)/4, 4000), 11_000))
	var (
		mu      sync.Mutex
		opening sync.WaitGroup
		next    atomic.Int64
	)
	for range 50 {
		opening.Go(func() {
			for next.Add(1) <= int64(most) {
				c, err := net.DialTimeout("tcp", address, patience)
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				held = append(held, c)
				mu.Unlock()
			}
		})
	}
	opening.Wait()
	return held, most
}

// resident is how much memory the server's process has, in bytes.
func (s *server) resident() int64 {
	s.t.Helper()
	status := string(mustRead(s.t, "/proc/"+strconv.Itoa(s.cmd.Process.Pid)+"/status"))
	_, rest, _ := strings.Cut(status, "VmRSS:")
	fields := strings.Fields(rest)
	if len(fields) == 0 {
		s.t.Fatal("the kernel does not tell")
	}
	kib, err := strconv.ParseInt(fields[0], 10, 64)
	if err != nil {
		s.t.Fatal(err)
	}
	return kib << 10
}
