// Package httpx holds what the native API and the APIs of dialects share: reading requests within limits, credentials, logging, and
// responses to requests without a handler. Errors are *bellwire.Error, which each front end writes in its own format.
package httpx
