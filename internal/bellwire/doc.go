// Package bellwire defines the types of Bellwire, a webhook system that notifies a platform's customers of events: tenants,
// event types, endpoints, events, deliveries and attempts, the rules between them, and the interfaces that the rest of the
// program implements.
//
// It imports only the standard library. The implementations are in the packages beside it, and cmd/bellwire wires them
// together.
package bellwire
