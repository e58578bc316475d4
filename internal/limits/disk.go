package limits

import "fmt"

// Bounds on the audit log, where every request to the API of some dialects is kept.
const (
	AuditRate  = 20  // requests a second of one key
	AuditBurst = 200 // of them at once
)

var auditLog = Resource{
	Name:    "Audit log",
	Bound:   "none but the shares of the tenants; entries are kept for `--audit-retention`",
	Share:   fmt.Sprintf("%s new entries a day unless `audit_entries` says otherwise; %d requests a second of one key", AuditEntries.Show(AuditEntries.Default), AuditRate),
	Reserve: "each tenant has its own share",
	Order:   "nobody waits",
	Answer:  "429 `rate_limited` with `Retry-After`; the request is not done",
}

// TestBytes of an example have a test count once more.
const TestBytes = 32 << 10

// AddressShare is how many times as many requests as to one host may go to one address: customers share those of large
// providers.
const AddressShare = 5
