// What a socket tells its user.

/** @typedef {import('./address.js').Address} Address */
/** @typedef {import('./event.js').TurnEvent} TurnEvent */

/**
 * The verdict of a close.
 * @typedef {object} Closed
 * @property {import('./event.js').Outcome} outcome
 * @property {string} reason why it is not released; empty if it is
 * @property {number} reuseAfter how long the local port should rest before the next allocation from it, in ms
 * @property {Date} [until] when the server lets go of the allocation at the latest; undefined when it holds none
 * @property {(Closed & {server: string})[]} [others] what servers may hold that were asked too, and were not the first to answer
 */

/** What a socket tells: an event of the machine's, its instant a date. @typedef {Omit<TurnEvent, 'until'> & {until?: Date}} SocketEvent */

/** @typedef {Address & {size: number}} RemoteInfo */

/**
 * @template {Uint8Array} [Data=Uint8Array]
 * @typedef {{
 *   message: [msg: Data, rinfo: RemoteInfo],
 *   listening: [],
 *   error: [error: Error],
 *   close: [verdict: Closed],
 *   event: [event: SocketEvent],
 *   allocated: [event: SocketEvent],
 *   allocateFailed: [event: SocketEvent],
 *   permissionCreated: [event: SocketEvent],
 *   permissionFailed: [event: SocketEvent],
 *   channelBound: [event: SocketEvent],
 *   channelFailed: [event: SocketEvent],
 *   refreshed: [event: SocketEvent],
 *   refreshFailed: [event: SocketEvent],
 *   peerICMP: [event: SocketEvent],
 *   needNewPort: [event: SocketEvent],
 *   credentialsExpired: [event: SocketEvent],
 *   allocationLost: [event: SocketEvent],
 *   commandDropped: [event: SocketEvent],
 *   reclaimed: [event: SocketEvent],
 *   tokenNeeded: [event: SocketEvent],
 *   redirected: [event: SocketEvent],
 *   mobilityRefused: [event: SocketEvent],
 *   rebound: [event: SocketEvent],
 *   rebindFailed: [event: SocketEvent],
 *   portReserved: [event: SocketEvent],
 *   optionRefused: [event: SocketEvent],
 *   addressRefused: [event: SocketEvent],
 *   flowNeeded: [event: SocketEvent],
 *   streamBroken: [event: SocketEvent],
 * }} TurnSocketEvents
 */

export {}
