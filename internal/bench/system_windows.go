package bench

import (
	"os"
	"syscall"
	"time"
)

// peakMemory is 0: nothing in the standard library tells it here.
func peakMemory(*os.ProcessState) int64 { return 0 }

// usedCPU is the time that this process has used of all processors.
func usedCPU() time.Duration {
	self, err := syscall.GetCurrentProcess()
	if err != nil {
		panic(err) // a process has itself
	}
	var created, ended, kernel, user syscall.Filetime
	if err := syscall.GetProcessTimes(self, &created, &ended, &kernel, &user); err != nil {
		panic(err) // the arguments are good
	}
	return duration(kernel) + duration(user)
}

// duration reads what is counted in steps of 100 ns.
func duration(t syscall.Filetime) time.Duration {
	return time.Duration(int64(t.HighDateTime)<<32|int64(t.LowDateTime)) * 100
}

// terminate ends a process. There is no way to ask it to.
func terminate(p *os.Process) error { return p.Kill() }
