// What a client process is to do.

import { Buffer } from 'node:buffer'

/**
 * @typedef {object} Spec
 * @property {string} who a contestant
 * @property {'send' | 'receive'} work
 * @property {{address: string, port: number}} server
 * @property {{address: string, port: number}} peer
 * @property {string} gate the pipe that says how far the far side has got
 * @property {number} burst payloads that are sent in one turn of the event loop
 * @property {number} window packets under way, at most
 * @property {number} warm ms before the measurement
 * @property {number} measure ms
 * @property {number} first the number of the received payload that begins the measurement
 * @property {number} last the one that ends it
 */

/**
 * What a client process says of it.
 * @typedef {object} Told
 * @property {number} packets in the measured window
 * @property {number} total with those before and after it; received: from the first measured one on
 * @property {number} bad received, and not what was sent
 * @property {number} cpu microseconds, user and system, of the process in the window
 * @property {number} wall ms
 */

/**
 * A contestant: somebody's TURN client, or the bare socket.
 * @typedef {object} Contestant
 * @property {Buffer[]} buffers one for each payload of a burst
 * @property {number} offset where in a buffer the payload begins
 * @property {(n: number) => void | Promise<unknown>} send sends the first n payloads
 */

/** @typedef {(bytes: Uint8Array, offset: number) => void} Received */

export const LOGIN = { username: 'user', password: 'pass' }

/**
 * Buffers for the payloads of a burst.
 * @param {number} n
 * @param {number} size
 */
export const buffersOf = (n, size) => Array.from({ length: n }, () => Buffer.alloc(size))
