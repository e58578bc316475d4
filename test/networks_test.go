package test

import (
	"fmt"
	"strings"
	"testing"
)

// What may be reached is said when an endpoint is made, and the options have their say in it.
func TestNetworks(t *testing.T) {
	t.Parallel()
	receiver := startReceiver(t, 0)
	s := startServer(t, t.TempDir(), "--allow-network", "0.0.0.0/0", "--deny-network", "10.0.0.0/8,8.8.8.0/24", "--deny-network", "fd00::/8")
	if !strings.Contains(s.logged(), `"level":"WARN","msg":"--allow-network allows all addresses`) {
		t.Errorf("nothing is said of 0.0.0.0/0:\n%s", s.logged())
	}
	s.subscribe(receiver.url)
	for host, want := range map[string]int{
		"192.168.0.1": 201, "8.8.4.4": 201, "10.0.0.1": 422, "8.8.8.8": 422, "0xa.1": 422, "[64:ff9b::10.0.0.1]": 422, "[fd00::1]": 422, "168.63.129.16": 422, "169.254.169.254": 422,
	} {
		t.Run(host, func(t *testing.T) {
			status, answer, err := s.do("POST", "/tenants/acme/endpoints", fmt.Appendf(nil, `{"url": "https://%s/", "events": ["nothing.*"]}`, host))
			if err != nil || status != want {
				t.Errorf("%s: %d, %v: %s", host, status, err, answer)
			}
		})
	}
	receiver.await(t, []string{s.publishCard(`1`)})
	s.terminate()
}
