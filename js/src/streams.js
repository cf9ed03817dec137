// A socket as web streams.

/** Payloads that wait for a reader. */
const QUEUE = 512

/**
 * @typedef {import('./socket.js').TurnSocket} TurnSocket
 */

/**
 * @param {TurnSocket} socket
 * @param {() => void} dropped is called for each payload that nobody took in time
 * @returns {ReadableStream<any>}
 */
export function readableOf(socket, dropped) {
	/** @type {() => void} */
	let stop
	return new ReadableStream(
		{
			start(controller) {
				/** @type {(msg: Uint8Array, rinfo: import('./address.js').Address) => void} */
				const onMessage = (data, { address, port, family }) => {
					if ((controller.desiredSize ?? 0) > 0) controller.enqueue({ data, address, port, family })
					else dropped()
				}
				stop = () => socket.off('message', onMessage)
				socket.on('message', onMessage)
				socket.closed.then(() => {
					stop()
					try {
						controller.close()
					} catch {
						// it was cancelled
					}
				})
			},
			cancel: () => stop(),
		},
		new CountQueuingStrategy({ highWaterMark: QUEUE }),
	)
}

/**
 * @param {TurnSocket} socket
 * @returns {WritableStream<{data: Uint8Array | string, port: number, address: string}>}
 */
export function writableOf(socket) {
	return new WritableStream({
		async write({ data, port, address }) {
			await new Promise((resolve, reject) => {
				socket.send(data, port, address, (error) => (error ? reject(error) : resolve(undefined)))
			})
			await socket.drained
		},
		async close() {
			await socket.close()
		},
		async abort() {
			await socket.close()
		},
	})
}
