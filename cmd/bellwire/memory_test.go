package main

import (
	"context"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"testing"
	"time"
)

func TestPercentFor(t *testing.T) {
	t.Parallel()
	for live, most := range map[uint64]uint64{0: 33 << 20, 1 << 20: 34 << 20, 64 << 20: 128 << 20, 320 << 20: 512 << 20} {
		percent := uint64(percentFor(live))
		if got := live + live*percent/100; got > most || live > 0 && got < most-most/20 {
			t.Errorf("with %d MiB in use the collector runs at %d MiB, want %d", live>>20, got>>20, most>>20)
		}
	}
}

// gogc returns the value of GOGC in force.
func gogc() uint64 {
	sample := []metrics.Sample{{Name: "/gc/gogc:percent"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}

// The test is not parallel, because it changes how the process collects garbage.
func TestTuneCollector(t *testing.T) {
	defer debug.SetGCPercent(debug.SetGCPercent(100)) // whatever the environment says
	for _, variable := range []string{"GOGC", "GOMEMLIMIT"} {
		end := tuneCollector(func(name string) string {
			if name == variable {
				return "off"
			}
			return ""
		})
		if got := gogc(); got != 100 {
			t.Errorf("%s is set, and GOGC is %d", variable, got)
		}
		end()
	}
	end := tuneCollector(func(string) string { return "" })
	small := gogc()
	large := make([]byte, 256<<20)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for gogc() >= small || gogc() > garbagePercent+usualGarbage*100/(256<<20) {
		if ctx.Err() != nil {
			t.Fatalf("GOGC is %d with %d bytes in use, and was %d", gogc(), len(large), small)
		}
		runtime.GC() // the cleanup follows some time later
	}
	runtime.KeepAlive(large)
	end()
	if got := gogc(); got != 100 {
		t.Errorf("GOGC is %d at the end", got)
	}
}
