// Package bellwire is the root of Bellwire, the webhook system that a platform runs so that its customers hear about
// events: they register endpoints, the platform publishes events, and Bellwire delivers them, signed, retried, logged and
// replayable.
//
// The root package is empty. The program is cmd/bellwire:
//
//	go install github.com/bellwire/bellwire/cmd/bellwire@latest
//	bellwire serve
//
// Two packages are made for other programs:
//
//   - [github.com/bellwire/bellwire/client] publishes events and manages tenants and endpoints;
//   - [github.com/bellwire/bellwire/receive] verifies deliveries in the programs that receive them, in each of the dialects.
//
// A program whose database is the PostgreSQL of Bellwire can also publish in its own transaction, with the SQL function
// bellwire.publish. See docs/transactional-publish.md.
//
// The README shows what Bellwire does, and docs/architecture.md how.
package bellwire
