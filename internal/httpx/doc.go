// Package httpx holds what all front ends share, the native API and each dialect's: reading requests
// within limits, telling who calls, logging, and answers where no handler speaks. How an error looks is
// each front end's own business: everything here reports faults as *bellwire.Error.
package httpx
