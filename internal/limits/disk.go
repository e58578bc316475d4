package limits

import "fmt"

// Bounds on the requests to the APIs of some dialects, each of which the audit log keeps.
const (
	AuditRate  = 20  // requests a second of one key
	AuditBurst = 200 // of them at once
)

var auditLog = Resource{
	Name:    "Audit log",
	Bound:   "only the shares; entries are kept for `--audit-retention`",
	Share:   fmt.Sprintf("%s new entries per day by default about changes, as many about other actions, about requests to dialects that keep them, and about refused calls (limit `audit_entries`); %d of these requests, and of refused calls, per second and key", AuditEntries.Show(AuditEntries.Default), AuditRate),
	Reserve: "an eighth of a tenant's requests to dialects that keep them, for keys that can change something",
	Order:   "none",
	Answer:  "429 `rate_limited` with `Retry-After`, and the request is not executed; a change or action is made and logged without an entry; a refused call has no entry",
}

// TestBytes of an example have a test count once more.
const TestBytes = 32 << 10

// AddressFactor is how many times as many requests as to one host may go to one address: customers share those of large
// providers.
const AddressFactor = 5
