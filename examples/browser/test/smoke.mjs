// Chromium and the bridge agree: datagrams, streams, refusals, deposits, and
// what happens to a closed tab. Needs coturn and Chromium; see README.md.
//
//   node examples/browser/test/smoke.mjs

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const work = mkdtempSync(join(tmpdir(), 'turnwasm-bridge-'));
const stops = [];
const stopLater = (stop) => stops.push(stop);

/** A UDP port that is free. */
async function freePort() {
  const s = createSocket('udp4');
  s.bind(0, '127.0.0.1');
  await once(s, 'listening');
  const { port } = s.address();
  s.close();
  return port;
}

/** coturn without authentication: a page can allocate by hand. */
async function startCoturn() {
  const port = await freePort();
  const turn = spawn('turnserver', ['-n', '--no-auth', '--listening-ip=127.0.0.1', '--relay-ip=127.0.0.1', '-p', `${port}`,
    '--no-tls', '--no-dtls', '--no-cli', '--allow-loopback-peers', `--userdb=${work}/turndb`, `--pidfile=${work}/pid`,
    '--log-file=stdout'], { stdio: 'ignore' });
  stopLater(() => turn.kill('SIGKILL'));
  return `turn:127.0.0.1:${port}`;
}

/** A server that sends back ChannelData, and keeps what else it gets. */
async function startEcho() {
  const socket = createSocket('udp4');
  const heard = [];
  socket.on('message', (b, from) => {
    if (b[0] >> 4 === 4) socket.send(b, from.port, from.address);
    else heard.push(b);
  });
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  stopLater(() => socket.close());
  return { url: `turn:127.0.0.1:${socket.address().port}`, heard };
}

/** The bridge; answers where the pages and the metrics are. */
async function startBridge(servers) {
  const binary = join(work, 'bridge');
  const build = spawn('go', ['build', '-buildvcs=false', '-o', binary, './examples/bridge'], { cwd: root, stdio: 'inherit' });
  assert.equal((await once(build, 'exit'))[0], 0, 'the bridge does not build');
  const bridge = spawn(binary, ['-dev', '-json', '-listen', '127.0.0.1:0', '-pages', join(root, 'examples/browser'),
    '-pages-listen', '127.0.0.1:0', '-metrics', '127.0.0.1:0', '-silence', '5s', ...servers.flatMap((s) => ['-server', s])],
  { stdio: ['ignore', 'ignore', 'pipe'] });
  stopLater(() => bridge.kill('SIGKILL'));
  const said = {};
  for await (const line of createInterface(bridge.stderr)) {
    const entry = JSON.parse(line);
    said[entry.msg] = entry.url;
    if (entry.msg === 'listening') break;
  }
  bridge.stderr.resume();
  return { pages: said.pages, metrics: said.metrics, process: bridge };
}

/** Waits for a metric to be at least n. */
async function awaitMetric(url, name, n) {
  for (const until = Date.now() + 20_000; ;) {
    const body = await (await fetch(url)).text();
    const line = body.split('\n').find((l) => l.startsWith(`turnwasm_bridge_${name} `));
    const value = Number(line?.split(' ')[1] ?? 0);
    if (value >= n) return value;
    assert.ok(Date.now() < until, `${name} is ${value}, want ${n}:\n${body}`);
  }
}

/** A STUN request: a type, and attributes as bytes. */
function request(type, attributes = []) {
  const head = Buffer.from([type >> 8, type & 255, attributes.length >> 8, attributes.length & 255, 0x21, 0x12, 0xa4, 0x42]);
  return [...head, ...randomBytes(12), ...attributes];
}
const allocate = () => request(0x0003, [0, 0x19, 0, 4, 17, 0, 0, 0]); // REQUESTED-TRANSPORT UDP
const release = () => request(0x0004, [0, 0x0d, 0, 4, 0, 0, 0, 0]); // LIFETIME 0

/** Opens a tab with a session to the server. */
async function openTab(context, pages, server, token) {
  const tab = await context.newPage();
  await tab.goto(pages);
  const refusal = await tab.evaluate(async ({ server, token }) => {
    const { BridgeSession } = await import('./bridge.js');
    const config = await (await fetch('bridge.json')).json();
    try {
      window.session = await BridgeSession.open({ ...config, server, token });
    } catch (error) {
      return { code: error.code, message: error.message };
    }
    window.packets = [];
    window.session.onpacket = (b) => {
      window.packets.push([...b]);
      window.heard?.();
    };
    window.ask = async (bytes) => {
      const before = window.packets.length;
      window.session.send(new Uint8Array(bytes));
      while (window.packets.length === before) await new Promise((resolve) => { window.heard = resolve; });
      return window.packets.at(-1);
    };
    return null;
  }, { server, token });
  return { tab, refusal, ask: (bytes) => tab.evaluate((b) => window.ask(b), bytes) };
}

/** A tab that holds an allocation of coturn's, and has deposited its release. */
async function allocatedTab(context, pages, coturn) {
  const t = await openTab(context, pages, coturn);
  assert.equal(t.refusal, null);
  assert.deepEqual((await t.ask(allocate())).slice(0, 2), [1, 3], 'want an Allocate success');
  await t.tab.evaluate((b) => window.session.deposit(new Uint8Array(b), 600_000), release());
  return t.tab;
}

const checks = {
  async 'a STUN Binding as a datagram'({ context, pages, coturn }) {
    const { tab, ask } = await openTab(context, pages, coturn);
    const sent = request(0x0001);
    const got = await ask(sent);
    assert.deepEqual(got.slice(0, 2), [1, 1], 'want a Binding success');
    assert.deepEqual(got.slice(8, 20), sent.slice(8, 20), 'want the transaction ID back');
    await tab.close();
  },

  async 'packets of every size, there and back'({ context, pages, echo, metrics }) {
    const { tab, ask } = await openTab(context, pages, echo.url);
    for (const size of [4, 100, 1100, 1200, 1300, 1500, 9000, 60000]) {
      const packet = [0x40, 0, (size - 4) >> 8, (size - 4) & 255, ...randomBytes(size - 4)];
      assert.deepEqual(await ask(packet), packet, `${size} bytes did not come back as they were`);
    }
    await awaitMetric(metrics, 'packets_total{direction="from_page",way="stream"}', 3);
    await awaitMetric(metrics, 'packets_total{direction="from_server",way="stream"}', 3);
    await tab.close();
  },

  async 'a refusal with a reason'({ context, pages }) {
    const { tab, refusal } = await openTab(context, pages, 'turn:192.0.2.1');
    assert.equal(refusal?.code, 404, `want code 404, got ${JSON.stringify(refusal)}`);
    assert.match(refusal.message, /not a TURN server of this bridge/);
    await tab.close();
  },

  async 'a deposit that is none is refused'({ context, pages, coturn }) {
    const { tab } = await openTab(context, pages, coturn);
    const why = await tab.evaluate((b) => window.session.deposit(new Uint8Array(b), 1000).then(() => 'taken', (e) => e.message), request(0x0001));
    assert.match(why, /is a Refresh request/);
    await tab.close();
  },

  async 'a closed tab releases'({ context, pages, coturn, metrics }) {
    const tab = await allocatedTab(context, pages, coturn);
    await tab.close();
    await awaitMetric(metrics, 'partings_total{result="released"}', 1);
  },

  async 'a tab that goes elsewhere releases'({ context, pages, coturn, metrics }) {
    const tab = await allocatedTab(context, pages, coturn);
    await tab.goto('about:blank');
    await awaitMetric(metrics, 'partings_total{result="released"}', 2);
    await tab.close();
  },

  async 'a reloaded tab releases, and works again'({ context, pages, coturn, metrics }) {
    const tab = await allocatedTab(context, pages, coturn);
    await tab.reload();
    await awaitMetric(metrics, 'partings_total{result="released"}', 3);
    await tab.close();
    await (await allocatedTab(context, pages, coturn)).close();
    await awaitMetric(metrics, 'partings_total{result="released"}', 4);
  },

  async 'a crashed tab releases'({ context, pages, coturn, metrics }) {
    const tab = await allocatedTab(context, pages, coturn);
    tab.goto('chrome://crash').catch(() => {});
    await awaitMetric(metrics, 'partings_total{result="released"}', 5);
    await tab.close();
  },

  async 'who has released deposits nothing'({ context, pages, echo, metrics }) {
    const { tab } = await openTab(context, pages, echo.url);
    await tab.evaluate(async (b) => {
      await window.session.deposit(new Uint8Array(b), 600_000);
      await window.session.deposit(null);
      window.session.close();
    }, release());
    await awaitMetric(metrics, 'sessions_ended_total{reason="closed"}', 1);
    assert.equal(echo.heard.length, 0, 'the bridge has sent something for a page that owes nothing');
    await tab.close();
  },

  async 'the page of the folder'({ context, pages }) {
    const tab = await context.newPage();
    await tab.goto(pages);
    await tab.click('#go');
    await tab.waitForFunction(() => document.getElementById('log').textContent.includes('answer of'));
    await tab.close();
  },

  async 'a killed browser releases, when it has been silent'({ launch, pages, coturn, metrics }) {
    const { context, kill } = await launch();
    await allocatedTab(context, pages, coturn);
    await kill();
    await awaitMetric(metrics, 'partings_total{result="released"}', 6);
  },
};

/** The bridge stops: the page is told, and releases in time. The last check. */
async function stopBridge({ context, pages, coturn, process: bridge }) {
  const tab = await allocatedTab(context, pages, coturn);
  await tab.evaluate((b) => {
    window.told = new Promise((resolve) => {
      window.session.ongoingaway = async (milliseconds) => {
        const answer = await window.ask(b);
        await window.session.deposit(null);
        window.session.close();
        resolve({ milliseconds, answer: answer.slice(0, 2) });
      };
    });
  }, release());
  const exit = once(bridge, 'exit');
  bridge.kill('SIGTERM');
  const { milliseconds, answer } = await tab.evaluate(() => window.told);
  assert.ok(milliseconds > 0 && milliseconds <= 5000, `the grace is ${milliseconds} ms`);
  assert.deepEqual(answer, [1, 4], 'want a Refresh success');
  assert.equal((await exit)[0], 0, 'the bridge does not stop well');
}

/** A browser of its own; kill ends all its processes without a goodbye. */
async function launch() {
  const server = await chromium.launchServer({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: ['--no-sandbox'] });
  stopLater(() => server.kill());
  const browser = await chromium.connect(server.wsEndpoint());
  return { context: await browser.newContext(), kill: () => server.kill() };
}

try {
  const coturn = await startCoturn();
  const echo = await startEcho();
  const bridge = await startBridge([coturn, echo.url]);
  const { context } = await launch();
  for (const [name, check] of Object.entries(checks)) {
    await check({ context, launch, coturn, echo, ...bridge });
    console.log(`ok  ${name}`);
  }
  await stopBridge({ context, coturn, ...bridge });
  console.log('ok  a stopped bridge lets the page release');
} finally {
  for (const stop of stops.reverse()) await stop();
  rmSync(work, { recursive: true });
}
