package main

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/bellwire/bellwire/client"
)

func TestExportCounts(t *testing.T) {
	t.Parallel()
	text := `{"kind":"export","format":1,"secrets":false}
{"kind":"event_type","name":"a"}
{"kind":"key","id":"k","hmac":true,"secret_sha256":"00"}
{"kind":"key","id":"l","secret_sha256":"00"}
{"kind":"tenant","id":"t"}
{"kind":"endpoint","id":"e","left_out":["secrets"]}
{"kind":"event","data":"` + strings.Repeat(`{\"kind\":\"tenant\"`, 100_000) + `"}
{"kind":"event"}
`
	var (
		counts exportCounts
		out    bytes.Buffer
	)
	if err := counts.copy(&out, strings.NewReader(text)); err != nil || out.String() != text {
		t.Fatalf("%d bytes of %d were copied: %v", out.Len(), len(text), err)
	}
	want := "exported: 1 tenant, 2 keys, 1 event type, 1 endpoint, 2 events\n" +
		"left out: the secrets of 1 endpoint and of 1 key that can sign requests, which cannot be created from this export; add --secrets to have them\n"
	if got := counts.summary(); got != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
}

func TestImportSummaryTellsOfRetention(t *testing.T) {
	t.Parallel()
	since := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	r := &client.ImportReport{Created: client.ImportCounts{Events: 3}, PastRetention: 2, RetainedSince: &since}
	if got := importSummary(r, true); !strings.Contains(got, "past retention: 2 events from before 2026-01-02 03:04:05Z or older than the event_retention of their tenants, which the next clean-up deletes") {
		t.Error(got)
	}
	r.PastRetention = 0
	if got := importSummary(r, true); strings.Contains(got, "retention") || strings.Contains(got, "fault") {
		t.Error(got)
	}
}
