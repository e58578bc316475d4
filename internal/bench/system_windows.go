package bench

import (
	"os"
	"syscall"
	"time"
)

// peakMemory returns 0, because the standard library does not know it on Windows.
func peakMemory(*os.ProcessState) int64 { return 0 }

// usedCPU returns the CPU time of this process.
func usedCPU() time.Duration {
	self, err := syscall.GetCurrentProcess()
	if err != nil {
		panic(err) // the current process always exists
	}
	var created, ended, kernel, user syscall.Filetime
	if err := syscall.GetProcessTimes(self, &created, &ended, &kernel, &user); err != nil {
		panic(err) // the arguments are valid
	}
	return duration(kernel) + duration(user)
}

// duration converts a time in units of 100 ns.
func duration(t syscall.Filetime) time.Duration {
	return time.Duration(int64(t.HighDateTime)<<32|int64(t.LowDateTime)) * 100
}

// terminate kills a process, because Windows has no signal to ask it to end.
func terminate(p *os.Process) error { return p.Kill() }
