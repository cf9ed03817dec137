// What a socket asks of its platform: a path to the server, and to find the server.

/**
 * A path to the server: what the platform makes of a flow.
 * @typedef {object} Transport
 * @property {(data: Uint8Array) => void} send ships a datagram; its bytes are good until the call returns, or, where
 *   there is a flush, until that is called right after
 * @property {(bytes: Uint8Array, offset: number, length: number, count: number, stride: number) => void} [sendRun] the same
 *   for datagrams of one length that lie a stride apart
 * @property {() => void} [flush]
 * @property {() => void | Promise<void>} close ships what was sent before; settles when the local port is free
 * @property {{address: string, port: number}} [local] its own address, where it can be known
 * @property {{address: string, port: number}} [server] the server's address, where the transport knows it better
 * @property {() => void} [ref]
 * @property {() => void} [unref]
 * @property {(parting: import('./client.js').Parting | undefined) => void} [deposit] leaves what to ship when we die
 * @property {boolean} [deposited] what was left would be shipped now
 * @property {Promise<void>} [drained] settles when what was sent is on its way
 * @property {Record<string, number>} [stats] its own counters
 */

/**
 * Who is told what comes of a transport.
 * @typedef {object} Receiver
 * @property {(data: Uint8Array) => void} received a datagram, which is the receiver's to keep
 * @property {() => void} unreachable the path has said that the server cannot be reached
 * @property {() => void} homeless the system does not send from the transport's own address any more
 * @property {(error: Error) => void} failed the transport is of no use any more
 * @property {(ms: number, why: Error) => void} leaving the transport will end after so long: whoever wants to release does it before
 */

/**
 * @typedef {object} Platform
 * @property {readonly import('./uri.js').Via[]} carriers that it has
 * @property {(bytes: Uint8Array) => Uint8Array} [payload] as which it hands out what came on a stream in parts
 * @property {(target: import('./uri.js').Target, options: import('./options.js').TurnSocketOptions, signal: AbortSignal) => Promise<Promise<Place[]>[]>} find
 *   where the server may be: of each of its names, in the order in which they are tried
 * @property {(server: Place, local: {address?: string, port: number}, receiver: Receiver, signal: AbortSignal, carrier: import('./options.js').Carrier) => Promise<Transport>} open the
 *   signal says that nobody wants it any more
 */

/** A transport address where a server may be. @typedef {{address: string, port: number}} Place */

export {}
