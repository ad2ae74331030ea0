// Goal: the full flavour's local history answers SQL, survives every crash as a beginning of what was
// noted, and never answers with half a transaction.
// Method: the very cairn-full.wasm under node, over files whose unflushed writes can be lost.
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { encodeEvent } from './events.mjs';
import { surface } from './wasm_surface.mjs';

const wasm = new URL('../../wasm/dist/cairn-full.wasm', import.meta.url);
const testing = new URL('../../build/wasm/testing.mjs', import.meta.url);
const built = existsSync(wasm) && existsSync(testing);
const skip = built ? false : 'cairn-full.wasm is not built: run wasm/build.sh';
const { SqlEngine, MemoryFile } = built ? await import(testing.href) : {};
const module = built ? await WebAssembly.compile(await readFile(wasm)) : null;

const options = { eventsMax: 1000, daysMax: 0, nowMs: () => 1_000_000 };
const open = (files) => SqlEngine.open(module, files, options);
const row = (seq) => ({
  seq,
  person: 1,
  event: encodeEvent(seq % 2 ? 'view' : 'purchase', seq * 1000, { amount: seq, page: `p${seq}` }),
});
const count = (engine) => engine.ask('SELECT count(*), coalesce(max(seq), 0) FROM events').rows[0];

/** A file that fails, or whose process dies, at the n-th change; what was flushed is what stays. */
class CrashingFile {
  constructor(counter) {
    this.counter = counter;
    this.now = new MemoryFile();
    this.kept = new Uint8Array(0);
  }
  step() {
    if (this.counter.left-- <= 0) throw new Error('the process is gone');
  }
  read(to, at) {
    return this.now.read(to, at);
  }
  write(from, at) {
    this.step();
    this.now.write(from, at);
  }
  truncate(bytes) {
    this.step();
    this.now.truncate(bytes);
  }
  flush() {
    this.step();
    this.kept = this.bytes();
  }
  size() {
    return this.now.size();
  }
  close() {}
  bytes() {
    const bytes = new Uint8Array(this.now.size());
    this.now.read(bytes, 0);
    return bytes;
  }
  /** After a kill the system still has every write; after a power cut only what was flushed. */
  after(powerCut) {
    const file = new MemoryFile();
    file.write(powerCut ? this.kept : this.bytes(), 0);
    return file;
  }
}

test('its surface is that of cairn.wasm and the allow-list of what is more', { skip }, async () => {
  const more = new URL('wasm_surface_full.json', import.meta.url);
  const slim = surface(await readFile(new URL('cairn.wasm', wasm)));
  const full = surface(await readFile(wasm));
  const beyond = (all, base) =>
    Object.fromEntries(Object.entries(all).filter(([name]) => !(name in base)));
  const found = {
    imports: beyond(full.imports, slim.imports),
    exports: beyond(full.exports, slim.exports),
  };
  assert.deepEqual(found, JSON.parse(await readFile(more, 'utf8')));
});

test('noted events are rows; values, lists of them and numbers come back', { skip }, async () => {
  const engine = await open([new MemoryFile(), new MemoryFile()]);
  engine.note([1, 2, 3, 4].map(row));
  assert.equal(engine.newest(), 4);
  assert.deepEqual(
    engine.ask(
      "SELECT name, count(*) AS n, sum(property(event, 'amount')) AS sum, " +
        "max(property(event, 'page')) AS page FROM events GROUP BY name ORDER BY name",
    ),
    {
      columns: ['name', 'n', 'sum', 'page'],
      rows: [
        ['purchase', 2, 6, 'p4'],
        ['view', 2, 4, 'p3'],
      ],
      cut: false,
    },
  );
});

test('what is not a question is refused with a sentence', { skip }, async () => {
  const engine = await open([new MemoryFile(), new MemoryFile()]);
  for (const text of ['DELETE FROM events', 'SELECT * FROM sqlite_schema', 'SELEC', '']) {
    assert.throws(
      () => engine.ask(text),
      (error) => error.code === 'invalid' && error.message.length > 5,
      text,
    );
  }
  const endless = 'WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n) SELECT max(i) FROM n';
  assert.throws(() => engine.ask(endless), { code: 'too_long' });
  assert.deepEqual(engine.ask('SELECT 1 AS one').rows, [[1]]);
});

for (const powerCut of [false, true]) {
  const what = powerCut ? 'a power cut' : 'a kill';
  test(`${what} at every write leaves whole transactions, in order`, { skip }, async () => {
    let crashes = 0;
    for (let at = 0; ; at++) {
      const counter = { left: Infinity };
      const files = [new CrashingFile(counter), new CrashingFile(counter)];
      const engine = await open(files);
      engine.note([1, 2, 3].map(row));
      counter.left = at;
      let noted = 3;
      try {
        for (let seq = 4; seq <= 30; seq += 3) {
          engine.note([seq, seq + 1, seq + 2].map(row));
          noted = seq + 2;
        }
      } catch {
        crashes += 1;
      }
      const survived = await open(files.map((file) => file.after(powerCut)));
      const [rows, newest] = count(survived);
      assert.equal(rows, newest, `a crash at change ${at}`);
      assert.ok(rows >= noted && rows % 3 === 0, `${rows} rows of ${noted} noted`);
      survived.note(Array.from({ length: 30 }, (_, i) => row(i + 1)).slice(rows));
      assert.deepEqual(count(survived), [30, 30]);
      if (noted === 30 && counter.left > 0) break;
    }
    assert.ok(crashes > 20, `${crashes} crashes`);
  });
}

test('a damaged file is begun anew', { skip }, async () => {
  const files = [new MemoryFile(), new MemoryFile()];
  const engine = await open(files);
  engine.note([1, 2, 3].map(row));
  files[0].write(new Uint8Array(200).fill(0xff), 0);
  const again = await open(files);
  assert.equal(again.newest(), 0);
  again.note([1, 2].map(row));
  assert.deepEqual(count(again), [2, 2]);
});

test('what another device has noted goes, with every byte', { skip }, async () => {
  const files = [new MemoryFile(), new MemoryFile()];
  const engine = await open(files);
  engine.note([{ seq: 1, person: 1, event: encodeEvent('canary_event', 5) }]);
  engine.own("another device");
  for (const file of files) {
    const bytes = new Uint8Array(file.size());
    file.read(bytes, 0);
    assert.ok(!Buffer.from(bytes).includes('canary'));
  }
  assert.deepEqual(count(engine), [0, 0]);
});
