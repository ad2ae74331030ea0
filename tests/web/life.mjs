// life.mjs: the core under node with surroundings that a test moves by hand: a clock, a disk that
// forgets what was not committed, and the peer of peer_edge.mjs as its network.
import { webcrypto } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { Peer } from './peer_edge.mjs';

globalThis.crypto ??= webcrypto; // every browser has it; node 18 keeps it in a module

const root = new URL('../../', import.meta.url).pathname;
const testing = `${root}build/wasm/testing.mjs`;
const wasm = `${root}wasm/dist/cairn.wasm`;

export const isBuilt = () => existsSync(testing) && existsSync(wasm);
export const wasmBytes = () => readFile(wasm);

const OPTIONS = { serverUrl: 'http://edge', writeKey: 'demo-write-key', flushIntervalMs: 1000 };
const START_MS = 1_790_000_000_000;

export class Life {
  peer = new Peer();
  nowMs = START_MS;
  disk = { chunks: new Map(), states: new Map() };
  pending = []; // submitted, not yet on the disk
  posts = []; // started, not yet answered
  acks = [];
  refusals = [];
  popups = []; // to be shown, as the core said
  chosen = [];
  online = true;

  static async begin(options = {}) {
    const life = new Life();
    life.options = { ...OPTIONS, ...options };
    life.module = await WebAssembly.compile(await wasmBytes());
    life.Core = (await import(testing)).Core;
    await life.boot();
    return life;
  }

  /** A new process on what the disk holds. */
  async boot() {
    this.pending = [];
    this.posts = [];
    const clock = { nowMs: () => this.nowMs, monoMs: () => this.nowMs };
    const host = {
      clock,
      submit: (op, done) => this.pending.push({ op, done }),
      post: (body, done) => this.posts.push({ body, done }),
      acked: (seq) => this.acks.push(seq),
      purged: () => (this.purges = (this.purges ?? 0) + 1),
      popup: (json) => this.popups.push(JSON.parse(json)),
      popupChosen: (name, tab) => this.chosen.push({ name, tab }),
      popupClosed: () => undefined,
      refused: (seq, reason) => this.refusals.push({ seq, reason }),
      changed: () => undefined,
    };
    this.core = await this.Core.open(this.module, host, this.options);
    this.core.restore(this.held());
  }

  held() {
    const chunks = [...this.disk.chunks.values()].sort(
      (a, b) => a.segment - b.segment || a.index - b.index,
    );
    return { chunks, states: [...this.disk.states.values()] };
  }

  /** Everything submitted reaches the disk (or, not durable, is refused by it). */
  commit(durable = true) {
    for (const { op, done } of this.pending.splice(0)) {
      if (durable) this.apply(op);
      done(durable);
    }
  }

  apply(op) {
    if (op.kind === 'append') this.disk.chunks.set(`${op.segment}/${op.index}`, op);
    else if (op.kind === 'state') this.disk.states.set(op.slot, op);
    else {
      for (const [key, chunk] of this.disk.chunks) {
        if (chunk.segment === op.segment) this.disk.chunks.delete(key);
      }
    }
  }

  /** The process dies: what was not committed is gone. */
  crash() {
    return this.boot();
  }

  call(method, name = '', { value = '', properties = {} } = {}) {
    return this.core.run({
      method,
      name,
      value,
      properties,
      timeMs: this.nowMs,
      monoMs: this.nowMs,
    });
  }

  track(name, properties) {
    return this.call('track', name, { properties });
  }

  /** Answer every request under way, as the peer or the missing network would. */
  answer() {
    for (const { body, done } of this.posts.splice(0)) {
      this.commit();
      if (!this.online) {
        done({ status: 0, retryAfterMs: 0, body: new Uint8Array(0) });
        continue;
      }
      const { status, headers, body: bytes } = this.peer.sync(body);
      done({
        status,
        retryAfterMs: Number(headers['retry-after'] ?? 0) * 1000,
        body: new Uint8Array(bytes),
      });
    }
    this.commit();
  }

  /** Let time pass in steps as long as the core asks for; returns the waits it asked for. */
  pass(ms) {
    const endMs = this.nowMs + ms;
    const waits = [];
    for (let step = 0; step < 10_000; step++) {
      this.commit();
      const waitMs = this.core.pump();
      this.commit();
      if (this.posts.length > 0) {
        this.answer();
        continue;
      }
      if (waitMs < 0 || this.nowMs + waitMs > endMs) break;
      waits.push(waitMs);
      this.nowMs += Math.max(1, waitMs);
    }
    this.nowMs = endMs;
    return waits;
  }

  /** What the server has of this device, in order. */
  arrived() {
    return this.peer.events().sort((a, b) => a.seq - b.seq);
  }
}
