// Package lanes decides which delivery is sent when. Each active endpoint has a lane, a bounded queue in memory with limits
// and a circuit breaker of its own. The Scheduler holds the lanes, and divides requests, memory and claims among tenants.
//
// The package does no I/O and takes no context. One mutex guards all of a Scheduler. The Scheduler starts attempts, returns
// deliveries to the store and wakes the claimer through the functions in its Config; these run under the mutex, so they must
// neither block nor call the Scheduler.
package lanes
