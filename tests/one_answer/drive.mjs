// drive.mjs: the worlds of one_answer through cairn.wasm, and the comparison.
//   node drive.mjs PROGRAM RULES DECISIONS
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const [program, rules, decisions] = process.argv.slice(2);
const wasmFile = new URL('../../wasm/dist/cairn.wasm', import.meta.url).pathname;
const KEY_ID = 'test';
const KEY_BYTES = 65;

const STEP_NOW = 'N'.charCodeAt(0);
const STEP_CALL = 'C'.charCodeAt(0);
const HEARD_CALL = 1;
const HEARD_ANSWER = 2;
const HEARD_POPUP = 3;
const EMIT_POPUP = 4;
const ASK_CLICKED = 6;
const ASK_CLOSED = 7;
const SETTLE_STEPS = 200;

/** One life of the core; as device.c is of the native one. */
class Device {
  nowMs = 0;
  monoMs = 0;
  pending = [];
  popup = null;
  popups = 0;

  constructor(module, heard) {
    this.heard = heard;
    const submit = (ticket) => this.pending.push(ticket);
    this.wasm = new WebAssembly.Instance(module, {
      cairn: {
        now_ms: () => this.nowMs,
        mono_ms: () => this.monoMs,
        store_append: submit,
        store_remove: submit,
        store_state: submit,
        http_start: () => undefined, // a network that never answers
        emit: (kind, seq, at, bytes) => {
          if (kind === EMIT_POPUP) this.popup = this.copy(at, bytes);
        },
      },
    }).exports;
    this.wasm._initialize?.();
  }

  copy(at, bytes) {
    return new Uint8Array(this.wasm.memory.buffer, at, bytes).slice();
  }

  lay(bytes, step) {
    const at = this.wasm.alloc(Math.max(bytes.length, 1));
    if (at === 0) throw new Error(`no room for ${bytes.length} bytes`);
    new Uint8Array(this.wasm.memory.buffer).set(bytes, at);
    try {
      return step(at, bytes.length);
    } finally {
      this.wasm.release(at);
    }
  }

  begin(seed, key, bundle) {
    const project = Buffer.from('demo');
    const options = Buffer.alloc(28 + project.length);
    options.writeUInt32LE(2000, 0);
    options.writeUInt32LE(project.length, 24);
    project.copy(options, 28);
    const good = (status, what) => {
      if (status !== 0) throw new Error(`${what}: status ${status}`);
    };
    this.lay(Buffer.from(KEY_ID), (id, idLen) =>
      this.lay(key, (at, len) => good(this.wasm.trust(id, idLen, at, len), 'trust')),
    );
    this.lay(options, (at, len) =>
      this.lay(seed, (seedAt, seedLen) => good(this.wasm.init(at, len, seedAt, seedLen), 'init')),
    );
    good(this.wasm.start(), 'start');
    this.lay(bundle, (at, len) => good(this.wasm.set_bundle(at, len), 'set_bundle'));
    this.settle();
  }

  hear(kind, status, bytes) {
    const head = Buffer.alloc(12);
    head.writeUInt32LE(kind, 0);
    head.writeUInt32LE(status, 4);
    head.writeUInt32LE(bytes.length, 8);
    this.heard.push(head, bytes);
  }

  act(method, name) {
    const block = Buffer.alloc(6 + name.length);
    block.writeUInt16LE(name.length, 0);
    block.write(name, 2);
    this.lay(block, (at, len) => this.wasm.ask(method, at, len));
  }

  settle() {
    for (let i = 0; i < SETTLE_STEPS; i++) {
      const done = this.pending;
      // completing one may submit another: it is completed, too
      for (let k = 0; k < done.length; k++) this.wasm.io_done(done[k], 1);
      done.length = 0;
      this.wasm.pump();
      if (this.popup !== null) {
        const json = this.popup;
        this.popup = null;
        this.hear(HEARD_POPUP, 0, json);
        const name = JSON.parse(Buffer.from(json).toString()).popup;
        this.popups += 1;
        if (this.popups % 3 === 0) this.act(ASK_CLICKED, name);
        this.act(ASK_CLOSED, name);
      } else if (done.length === 0) {
        return;
      }
    }
    throw new Error('it does not come to rest');
  }

  step(kind, method, bytes) {
    if (kind === STEP_NOW) {
      const nowMs = bytes.readDoubleLE(0);
      this.monoMs += Math.max(0, nowMs - this.nowMs); // the clock is set back now and then
      this.nowMs = nowMs;
    } else if (kind === STEP_CALL) {
      const status = this.lay(bytes, (at, len) => this.wasm.call(method, at, len));
      this.hear(HEARD_CALL, status, Buffer.alloc(0));
    } else {
      const status = this.lay(bytes, (at, len) => this.wasm.ask(method, at, len));
      const answer = this.copy(this.wasm.exchange(), this.wasm.exchange_bytes());
      this.hear(HEARD_ANSWER, status, answer);
    }
    this.settle();
  }
}

function runWorld(module, world) {
  const heard = [];
  const key = world.subarray(0, KEY_BYTES);
  const bundleBytes = world.readUInt32LE(KEY_BYTES);
  let at = KEY_BYTES + 4 + bundleBytes;
  const bundle = world.subarray(KEY_BYTES + 4, at);
  const lives = world.readUInt32LE(at);
  at += 4;
  for (let i = 0; i < lives; i++) {
    const device = new Device(module, heard);
    device.begin(world.subarray(at, at + 32), key, bundle);
    const end = at + 36 + world.readUInt32LE(at + 32);
    for (at += 36; at < end; ) {
      const bytes = world.readUInt32LE(at + 5);
      device.step(world[at], world.readUInt32LE(at + 1), world.subarray(at + 9, at + 9 + bytes));
      at += 9 + bytes;
    }
  }
  return Buffer.concat(heard);
}

if (!existsSync(wasmFile) || !existsSync(program)) {
  console.log('one_answer: cairn.wasm or the program is not built: run tools/build.sh release web');
  process.exit(77);
}
const folder = mkdtempSync(join(tmpdir(), 'cairn-one-answer-'));
try {
  const run = (what) =>
    execFileSync(program, [what, folder, rules, decisions], { stdio: 'inherit' });
  run('make');
  const module = new WebAssembly.Module(readFileSync(wasmFile));
  for (const name of readdirSync(folder)) {
    const heard = runWorld(module, readFileSync(join(folder, name)));
    writeFileSync(join(folder, name.replace('world', 'heard')), heard);
  }
  run('check');
} finally {
  rmSync(folder, { recursive: true });
}
