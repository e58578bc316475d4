package testenv

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
)

// Systems give ports from 32768 on, or 49152, to connections that a program makes and to listeners that ask for any port. A
// port below them stays free until the program for which it was chosen listens, also while that is restarted.
const (
	lowestPort = 15_000
	mostPorts  = 17_000
)

// FreePort returns a port of the loopback interface for a program that cannot choose one by itself.
func FreePort() (int, error) {
	var errs []error
	for range 20 {
		port := lowestPort + rand.IntN(mostPorts)
		l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err == nil {
			return port, l.Close()
		}
		errs = append(errs, err)
	}
	return 0, errors.Join(errs...)
}
