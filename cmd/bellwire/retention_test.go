package main

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/bellwire/bellwire/internal/store/postgres"
)

func TestRetentionIsBounded(t *testing.T) {
	t.Parallel()
	for retention, good := range map[time.Duration]bool{
		0: true, time.Second: true, 720 * time.Hour: true, maxRetention: true,
		-time.Hour: false, time.Millisecond: false, maxRetention + 1: false,
	} {
		t.Run(fmt.Sprint(retention), func(t *testing.T) {
			s := settings{
				storage: storage{DatabaseConnections: postgres.Connections},
				Listen:  "127.0.0.1:0", MaxEventBytes: 1, AuditRetention: time.Hour, DrainTimeout: time.Second, Retention: retention,
				StatisticsMinutes: time.Hour, StatisticsHours: 24 * time.Hour, StatisticsDays: 24 * time.Hour,
			}
			err := s.Validate()
			if good != (err == nil) || err != nil && !strings.Contains(err.Error(), "--retention: must be between 1s and") {
				t.Errorf("%v: %v", retention, err)
			}
		})
	}
}
