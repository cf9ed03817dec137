// The page's side of the bridge's protocol, version 1: host/bridge/doc.go.

const TYPE = { WELCOME: 1, DEPOSITED: 2, DEPOSIT_REFUSED: 3, PATH_ERROR: 4, GOING_AWAY: 5 };
const DEPOSIT = 1;

/** A session: one UDP socket of the bridge's to one TURN server. */
export class BridgeSession {
  onpacket = (bytes) => {};
  onpatherror = () => {};
  ongoingaway = (milliseconds) => {};
  dropped = 0; // packets that the stream did not take

  /** @param {{url: string, server: string, hash?: string, token?: string}} options */
  static async open({ url, server, hash, token }) {
    const at = new URL(url);
    at.searchParams.set('server', server);
    if (token) at.searchParams.set('token', token);
    const wt = new WebTransport(at.href, hash && {
      serverCertificateHashes: [{ algorithm: 'sha-256', value: Uint8Array.from(atob(hash), (c) => c.charCodeAt(0)) }],
    });
    const session = new BridgeSession(wt);
    await wt.ready;
    await session.#greet();
    return session;
  }

  #wt; #datagrams; #packets; #control; #deposits = [];

  constructor(wt) {
    this.#wt = wt;
    this.#datagrams = (wt.datagrams.writable ?? wt.datagrams.createWritable()).getWriter();
    // What has to be said was said to closed.
    this.#datagrams.closed.catch(() => {});
  }

  /** {closeCode, reason} when the session is over; rejects when its connection is. */
  get closed() { return this.#wt.closed; }

  /** Takes the bridge's two streams, in whichever order they come, and its WELCOME. */
  async #greet() {
    const streams = this.#wt.incomingBidirectionalStreams.getReader();
    const named = {};
    for (let i = 0; i < 2; i++) {
      const { value, done } = await streams.read();
      if (done) throw await this.#refusal();
      const reader = new ByteReader(value.readable);
      named[String.fromCharCode((await reader.take(1))[0])] = { reader, writer: value.writable.getWriter() };
    }
    this.#packets = named.P.writer;
    this.#control = named.C.writer;
    const { type, value } = await readControl(named.C.reader);
    if (type !== TYPE.WELCOME) throw new Error(`the bridge begins with frame ${type}`);
    this.welcome = JSON.parse(new TextDecoder().decode(value));
    for (const run of [this.#readControl(named.C.reader), this.#readPackets(named.P.reader), this.#readDatagrams()]) {
      run.catch(() => {}); // the session is over: closed says why
    }
  }

  async #refusal() {
    const { closeCode, reason } = await this.#wt.closed;
    return Object.assign(new Error(`the bridge refuses: ${reason}`), { code: closeCode });
  }

  async #readDatagrams() {
    const reader = this.#wt.datagrams.readable.getReader();
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      this.onpacket(value);
    }
  }

  async #readPackets(reader) {
    for (;;) {
      const [hi, lo] = await reader.take(2);
      this.onpacket(await reader.take((hi << 8) | lo));
    }
  }

  async #readControl(reader) {
    for (;;) {
      const { type, value } = await readControl(reader);
      switch (type) {
        case TYPE.DEPOSITED: this.#deposits.shift()?.resolve(); break;
        case TYPE.DEPOSIT_REFUSED: this.#deposits.shift()?.reject(new Error(new TextDecoder().decode(value))); break;
        case TYPE.PATH_ERROR: this.onpatherror(); break;
        case TYPE.GOING_AWAY: this.ongoingaway(new DataView(value.buffer, value.byteOffset).getUint32(0)); break;
      }
    }
  }

  /** Sends one packet: as a datagram if it fits into one, else on the stream. */
  send(bytes) {
    if (bytes.length <= this.#wt.datagrams.maxDatagramSize) {
      this.#datagrams.write(bytes).catch(() => {});
      return;
    }
    if (this.#packets.desiredSize <= 0) {
      this.dropped++;
      return;
    }
    const frame = new Uint8Array(2 + bytes.length);
    frame.set([bytes.length >> 8, bytes.length & 255]);
    frame.set(bytes, 2);
    this.#packets.write(frame).catch(() => {});
  }

  /** Deposits the parting datagram; null withdraws it. Resolves when the bridge has it. */
  deposit(bytes, milliseconds = 0) {
    const length = bytes ? 4 + bytes.length : 0;
    const frame = new Uint8Array(3 + length);
    frame.set([DEPOSIT, length >> 8, length & 255]);
    if (bytes) {
      new DataView(frame.buffer).setUint32(3, milliseconds);
      frame.set(bytes, 7);
    }
    return new Promise((resolve, reject) => {
      this.#deposits.push({ resolve, reject });
      this.#control.write(frame).catch(reject);
    });
  }

  close() { this.#wt.close({ closeCode: 0, reason: '' }); }
}

async function readControl(reader) {
  const [type, hi, lo] = await reader.take(3);
  return { type, value: await reader.take((hi << 8) | lo) };
}

/** Reads a byte stream by lengths. */
class ByteReader {
  #reader; #rest = new Uint8Array(0);

  constructor(stream) { this.#reader = stream.getReader(); }

  async take(n) {
    const out = new Uint8Array(n);
    for (let have = 0; have < n;) {
      if (this.#rest.length === 0) {
        const { value, done } = await this.#reader.read();
        if (done) throw new Error('the stream has ended');
        this.#rest = value;
      }
      const part = this.#rest.subarray(0, n - have);
      out.set(part, have);
      have += part.length;
      this.#rest = this.#rest.subarray(part.length);
    }
    return out;
  }
}
