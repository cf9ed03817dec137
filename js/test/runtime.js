// What runs these tests, and the sockets that it has.

import * as node from '../src/node.js'

/** @typedef {typeof node.createTurnSocket} Create */

const isBun = 'Bun' in globalThis

/** @type {[name: string, create: Create][]} */
export const flavours = [['node', node.createTurnSocket]]
if (isBun) flavours.push(['bun', (await import('../src/bun.js')).createTurnSocket])
