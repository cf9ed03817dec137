// Package idlebench measures what clients cost that are at rest: linear memory,
// the longest call, a tick that finds nothing due. It drives the module under
// wazero directly, in virtual time, against a server that answers and signs and
// holds nothing, so that what it finds is the module's.
//
// Every client holds what an idle one holds in earnest: an allocation, two
// permissions, one channel, credentials of its own as a TURN REST service makes
// them, and a nonce of 64 bytes that goes stale.
package idlebench
