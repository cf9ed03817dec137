/* @ts-self-types="../types/index.d.ts" */
/**
 * A TURN client without I/O, over one WebAssembly module.
 *
 * ```js
 * const turn = await TurnInstance.load()
 * const client = turn.open(now(), { server: { address: '192.0.2.1', port: 3478 }, username, password })
 * client.allocate(now())
 * for (let e; (e = client.poll()); ) {
 *   if (e.type === 'transmit') socket.send(e.data)
 *   else if (e.type === 'data') received(e.data, e.from)
 *   else if (e.type === 'event') happened(e.event)
 * }
 * // then wait for a datagram: client.input(now(), datagram),
 * // or for the instant client.nextTimeout: client.tick(now()), and poll again
 * ```
 *
 * Nothing happens between calls; `now` is the time in ms on any monotonic clock. Whoever has sockets takes
 * `turnwasm/node` or `turnwasm/bun`.
 * @module
 */
export { TurnClient } from './client.js'
export { TurnError } from './error.js'
export { TurnInstance } from './instance.js'
export { compile } from './module.js'
export { timeLimited } from './renewal.js'

/** @typedef {import('./address.js').Address} Address */
/** @typedef {import('./client.js').Effect} Effect */
/** @typedef {import('./client.js').Parting} Parting */
/** @typedef {import('./config.js').ClientConfig} ClientConfig */
/** @typedef {import('./error.js').TurnErrorKind} TurnErrorKind */
/** @typedef {import('./event.js').Outcome} Outcome */
/** @typedef {import('./event.js').Phase} Phase */
/** @typedef {import('./event.js').TurnEvent} TurnEvent */
/** @typedef {import('./event.js').TurnState} TurnState */
/** @typedef {import('./instance.js').Sink} Sink */
/** @typedef {import('./module.js').ModuleSource} ModuleSource */
