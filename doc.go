// Package bellwire is the front page of Bellwire, a webhook sender: customers of a platform register endpoints, the platform
// publishes events, and Bellwire signs them, delivers them, retries, and records every attempt.
//
// The package is empty. The program is cmd/bellwire:
//
//	go install github.com/bellwire/bellwire/cmd/bellwire@latest
//	bellwire serve
//
// Other programs import two modules, which need Go 1.24 and the standard library only:
//
//   - [github.com/bellwire/bellwire/client] publishes events and manages tenants and endpoints;
//   - [github.com/bellwire/bellwire/receive] verifies deliveries where they are received, in every dialect.
//
// A program whose data is in Bellwire's PostgreSQL database can also publish in its own transactions, with the SQL function
// bellwire.publish; docs/transactional-publish.md describes it.
//
// The README shows what Bellwire does, and docs/architecture.md how it works.
package bellwire
