// Relays one message through a TURN server and takes the allocation back:
//
//	node quickstart.mjs turn:turn.example.org alice secret 203.0.113.9 4000

import { createTurnSocket } from 'turnwasm/node'

const [urls, username, credential, address, port] = process.argv.slice(2)
const socket = createTurnSocket({ urls, username, credential })
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => socket.close())
try {
	await socket.opened
	console.log('relayed address:', socket.relayedAddress)
	const answer = new Promise((resolve, reject) => socket.once('message', (msg, from) => resolve(`${from.address}:${from.port} answers: ${msg}`)).once('close', reject))
	socket.send('hello', Number(port), address)
	console.log(await answer)
} finally {
	const { outcome } = await socket.close() // releases on every way out
	console.log('close:', outcome)
}
