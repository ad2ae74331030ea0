// Goal: the core of the browser keeps every promise of the queue, and its boundary stays small.
// Method: the very cairn.wasm of the package under node, with a clock, disk and network of the
// test.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { isBuilt, Life, wasmBytes } from './life.mjs';
import { surface } from './wasm_surface.mjs';

const skip = isBuilt() ? false : 'the WASM core is not built: run wasm/build.sh';
const seqs = (life) => life.arrived().map((event) => event.seq);
const oneTo = (n) => Array.from({ length: n }, (_, i) => i + 1);

test(
  'imports and exports are those of the allow-list, and none has an i64',
  { skip },
  async () => {
    const allowed = JSON.parse(
      await readFile(new URL('wasm_surface.json', import.meta.url), 'utf8'),
    );
    assert.deepEqual(surface(await wasmBytes()), allowed);
  },
);

test(
  'what is tracked arrives with its name, time, kinds of values and order',
  { skip },
  async () => {
    const life = await Life.begin();
    const at = life.nowMs;
    life.track('购买', {
      amount: 29.5,
      count: 3,
      ok: true,
      note: 'héllo',
      at: new Date(5),
      tags: ['a', ''],
      gone: null,
    });
    life.nowMs += 10;
    life.track('view');
    life.pass(5000);
    const [first, second] = life.arrived();
    assert.equal(first.name, '购买');
    assert.equal(first.timeMs, at);
    assert.deepEqual(first.properties, {
      amount: 29.5,
      count: 3,
      ok: true,
      note: 'héllo',
      at: 5,
      tags: ['a', ''],
      gone: null,
    });
    assert.equal(second.name, 'view');
    assert.equal(second.timeMs, at + 10);
    assert.deepEqual(seqs(life), [1, 2]);
    assert.equal(life.core.status().ackedSeq, 2);
    assert.equal(life.core.status().queuedEvents, 0);
  },
);

test('an older call keeps the time at which it was made', { skip }, async () => {
  const life = await Life.begin();
  const call = {
    method: 'track',
    name: 'earlier',
    value: '',
    properties: {},
    timeMs: life.nowMs - 60_000,
    monoMs: life.nowMs - 60_000,
  };
  assert.equal(life.core.run(call), null);
  life.pass(5000);
  assert.equal(life.arrived()[0].timeMs, call.timeMs);
});

test('after a restart the queue, the device and the count go on', { skip }, async () => {
  const life = await Life.begin();
  life.online = false;
  for (let i = 0; i < 30; i++) life.track('before', { i });
  life.commit();
  const device = life.core.status().deviceId;
  await life.crash();
  assert.equal(life.core.status().deviceId, device);
  assert.equal(life.core.status().queuedEvents, 30);
  life.track('after');
  life.online = true;
  life.pass(120_000);
  assert.deepEqual(seqs(life), oneTo(31));
  assert.equal(life.peer.devices.size, 1);
});

test(
  'an answer that is lost makes the device send again, and the server count once',
  { skip },
  async () => {
    const life = await Life.begin();
    for (let i = 0; i < 5; i++) life.track('once', { i });
    life.commit();
    life.core.flush();
    life.core.pump();
    assert.equal(life.posts.length, 1);
    life.peer.sync(life.posts[0].body); // it arrived; the process dies before it hears so
    await life.crash();
    life.pass(120_000);
    assert.deepEqual(seqs(life), oneTo(5));
    assert.ok(life.peer.requests.length >= 2);
    assert.equal(life.core.status().queuedEvents, 0);
  },
);

test(
  'crashes at any moment lose only what was not committed, and never double',
  { skip },
  async () => {
    const life = await Life.begin();
    const kept = [];
    for (let round = 0; round < 40; round++) {
      for (let i = 0; i < 1 + (round % 7); i++) life.track('r', { id: `${round}.${i}` });
      if (round % 3 !== 0) {
        life.commit();
        for (let i = 0; i < 1 + (round % 7); i++) kept.push(`${round}.${i}`);
      }
      if (round % 4 === 1) life.pass(2000);
      if (round % 3 === 0 || round % 5 === 0) await life.crash();
    }
    life.pass(300_000);
    const ids = life
      .arrived()
      .filter((e) => e.name === 'r')
      .map((e) => e.properties.id);
    assert.equal(new Set(ids).size, ids.length);
    for (const id of kept) assert.ok(ids.includes(id), `${id} was committed`);
  },
);

test(
  'failures make it wait longer and longer; Retry-After is obeyed; flush tries at once',
  { skip },
  async () => {
    const life = await Life.begin();
    life.online = false;
    life.track('patient');
    const waits = life.pass(600_000).filter((ms) => ms > 0);
    assert.ok(waits.length >= 4 && waits.length < 60, `${waits.length} attempts in ten minutes`);
    assert.ok(Math.max(...waits) > 4 * waits[1], `grows: ${waits.join(' ')}`);
    assert.ok(life.core.status().retryInMs > 0);

    life.online = true;
    life.peer.fail = () => ({ status: 503, headers: { 'retry-after': '120' } });
    life.core.flush();
    life.pass(1000);
    const before = life.peer.requests.length;
    life.pass(100_000);
    assert.equal(life.peer.requests.length, before, 'nothing is sent before Retry-After is over');
    life.peer.fail = null;
    life.pass(600_000);
    assert.deepEqual(seqs(life), [1]);
  },
);

test('nothing is sent that is not kept', { skip }, async () => {
  const life = await Life.begin();
  life.track('not yet on the disk');
  life.core.flush();
  life.core.pump();
  assert.equal(life.posts.length, 0);
  life.commit();
  life.core.flush();
  life.core.pump();
  assert.equal(life.posts.length, 1);
});

test('a body too large for the server is halved', { skip }, async () => {
  const life = await Life.begin();
  life.peer.fail = (request) => (request.events.length > 10 ? { status: 413 } : null);
  for (let i = 0; i < 64; i++) life.track('big', { i });
  life.pass(900_000);
  assert.deepEqual(seqs(life), oneTo(64));
});

test('a full queue gives up the oldest and says how many', { skip }, async () => {
  const life = await Life.begin({ queueEventsMax: 100 });
  life.online = false;
  for (let i = 0; i < 250; i++) {
    life.track('much', { i });
    life.commit();
  }
  const status = life.core.status();
  assert.ok(status.queuedEvents <= 100);
  assert.ok(status.droppedEvents >= 150);
  life.online = true;
  life.pass(900_000);
  const numbers = life
    .arrived()
    .filter((e) => e.name === 'much')
    .map((e) => e.properties.i);
  assert.ok(numbers.includes(249) && !numbers.includes(0));
});

test('bad calls are refused with a reason and nothing is queued', { skip }, async () => {
  const life = await Life.begin();
  assert.match(life.track(''), /name/);
  assert.match(life.track('x'.repeat(101)), /name/);
  assert.match(life.track('ok', { ['k'.repeat(101)]: 1 }), /name/);
  assert.equal(life.core.status().queuedEvents, 0);
});

test(
  'super properties, timers, login and profile calls travel as documented',
  { skip },
  async () => {
    const life = await Life.begin();
    life.call('register', '', { properties: { plan: 'pro' } });
    life.call('registerOnce', '', { properties: { plan: 'free', source: 'ad' } });
    life.track('one');
    life.call('unregister', '', { properties: { plan: null } });
    life.call('timerStart', 'read');
    life.nowMs += 1000;
    life.call('timerPause', 'read');
    life.nowMs += 5000;
    life.call('timerResume', 'read');
    life.nowMs += 500;
    life.call('timerEnd', 'read', { properties: { page: 2 } });
    life.call('login', 'login', { value: 'u1' });
    life.call('bind', 'mobile', { value: '123' });
    life.call('unbind', 'mobile', { value: '123' });
    life.call('profileSet', '', { properties: { city: 'Hangzhou' } });
    life.call('profileSetOnce', '', { properties: { first: 1 } });
    life.call('profileIncrement', '', { properties: { orders: 1 } });
    life.call('profileAppend', '', { properties: { tags: ['x'] } });
    life.call('profileUnset', '', { properties: { city: null } });
    life.call('logout');
    assert.equal(life.core.status().loginId, '');
    life.pass(10_000);
    const events = life.arrived();
    assert.deepEqual(
      events.map((e) => e.kind),
      [
        'TRACK',
        'TRACK',
        'LOGIN',
        'LINK',
        'UNLINK',
        'PROFILE_SET',
        'PROFILE_SET_ONCE',
        'PROFILE_INCREMENT',
        'PROFILE_APPEND',
        'PROFILE_UNSET',
        'LOGOUT',
      ],
    );
    assert.deepEqual(events[0].properties, { plan: 'pro', source: 'ad' });
    assert.equal(events[1].properties.source, 'ad');
    assert.equal('plan' in events[1].properties, false);
    assert.equal(
      Number(
        Object.entries(events[1].properties).find(([name]) => name.includes('duration'))?.[1],
      ),
      1500,
    );
    assert.deepEqual(events[2].ids[0], { type: 'login', value: 'u1' });
    assert.ok(events[3].ids.some((id) => id.type === 'mobile' && id.value === '123'));
  },
);

test(
  'the last batch of a page that goes is whole, small, and still queued',
  { skip },
  async () => {
    const life = await Life.begin();
    for (let i = 0; i < 2000; i++) {
      life.track('many', { i, text: 'some words that make it longer' });
      life.commit();
    }
    const body = life.core.lastGasp();
    assert.ok(body.length > 1000 && body.length <= 32 * 1024, `${body.length} bytes`);
    const queued = life.core.status().queuedEvents;
    life.peer.sync(body);
    assert.equal(life.core.status().queuedEvents, queued);
    life.pass(900_000);
    assert.deepEqual(seqs(life), oneTo(2000));
  },
);

test('bytes on the disk that are damaged cost at most what follows them', { skip }, async () => {
  const life = await Life.begin();
  life.online = false;
  for (let i = 0; i < 10; i++) {
    life.track('d', { i });
    life.commit();
  }
  const chunks = [...life.disk.chunks.values()];
  const last = chunks[chunks.length - 1];
  last.bytes[last.bytes.length - 1] ^= 0x55;
  await life.crash();
  assert.equal(life.core.status().queuedEvents, 9);
});
