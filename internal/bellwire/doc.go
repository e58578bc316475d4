// Package bellwire holds the vocabulary of Bellwire, the webhook system a platform runs so that its
// customers hear about events: tenants, event types, endpoints, events, deliveries and attempts, the
// rules that bind them, and the interfaces that the rest of the program is built on.
//
// It imports the standard library only. Implementations are in the packages beside it, and cmd/bellwire ties them together.
package bellwire
