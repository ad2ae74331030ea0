// client.js: what a device that decides pays in WASM, every call through JavaScript: cairn.wasm under
// the bundle of `bench_client --write FILE` (1,000 live popups, 100 audiences and their queries,
// a history of 1,000 events and 1,000 shows). One JSON line; medians in ms, as bench_client's.
//   node bench/client.js cairn.wasm FILE [calls]
//   jsc --useJIT=0 bench/client.js -- cairn.wasm FILE [calls]
// The second stands for a mini-program on iOS: an interpreter, no fetch, no TextEncoder. One script
// for both, so nothing of a module or of node but reading files.
'use strict';

const bare = typeof readFile === 'function'; // JavaScriptCore's shell
const [wasmPath, bundlePath, callsText] = bare ? arguments : process.argv.slice(2);
const load = (path) => (bare ? readFile(path, 'binary') : require('fs').readFileSync(path));
const say = (text) => (bare ? print(text) : console.log(text));
const now = bare ? () => preciseTime() * 1000 : () => performance.now();
/** Of rounds: without what other programs took, where that is known. */
const cpu = () => {
  if (bare) return now();
  const used = process.cpuUsage();
  return (used.user + used.system) / 1000;
};

const CALLS = Number(callsText || (bare ? 200 : 2000));
const ROUND = 100;
const HOUR_MS = 3600000;
const NOON_MS = Math.floor(1790000000000 / 86400000) * 86400000 + 4 * HOUR_MS; // shop.h
const POPUPS = 1000;
const KEY_BYTES = 65;
const [TRACK, PROFILE_SET] = [0, 12]; // call_method and ask_method of wasm/entry.c
const [ASK_EVENT, ASK_CLOSED] = [0, 7];

const need = (good, what) => {
  if (!good) throw new Error(what);
};

// --- the host: its clock, a store that is always quick, a network that acknowledges

let nowMs = NOON_MS;
let core;
let tickets = [];
let post = 0;
let popups = 0;
const copy = (at, bytes) => new Uint8Array(core.memory.buffer, at, bytes).slice();
const keep = (ticket, number, at, bytes) => {
  copy(at, bytes);
  tickets.push(ticket);
};
const imports = {
  now_ms: () => nowMs,
  mono_ms: () => nowMs,
  store_append: keep,
  store_state: keep,
  store_remove: (ticket) => tickets.push(ticket),
  http_start: (ticket) => (post = ticket),
  emit: (kind) => (popups += kind === 4 ? 1 : 0),
};

const commit = () => {
  for (let i = 0; i < tickets.length; i++) core.io_done(tickets[i], 1);
  tickets = [];
};

const drain = () => {
  do commit();
  while (core.pump() === 0 && tickets.length > 0);
  core.flush();
  core.pump();
  commit();
  const lastSeq = new DataView(core.memory.buffer, core.status()).getFloat64(16, true);
  const answer = [8];
  for (let seq = lastSeq; seq > 0; seq = Math.floor(seq / 128)) {
    answer.push((seq % 128) + (seq > 127 ? 128 : 0));
  }
  lay(answer, (at) => core.http_done(post, 200, 0, at, answer.length));
  commit();
};

// --- arguments (wasm/block.h), ASCII only

let block = 0; // where they are written
let view;
const lay = (bytes, step) => {
  const at = core.alloc(bytes.length);
  need(at !== 0, 'no room');
  new Uint8Array(core.memory.buffer).set(bytes, at);
  const result = step(at, bytes.length);
  core.release(at);
  return result;
};

const putText = (at, text, wide) => {
  if (wide) view.setUint32(at, text.length, true);
  else view.setUint16(at, text.length, true);
  at += wide ? 4 : 2;
  for (let i = 0; i < text.length; i++) view.setUint8(at + i, text.charCodeAt(i));
  return at + text.length;
};

/** Properties: [name, text | whole number | boolean]. */
const put = (name, properties) => {
  let at = putText(putText(block, name, false), '', false);
  view.setUint16(at, properties.length, true);
  at += 2;
  for (let i = 0; i < properties.length; i++) {
    const [key, value] = properties[i];
    view.setUint8(at, typeof value === 'string' ? 4 : typeof value === 'boolean' ? 1 : 2);
    at = putText(at + 1, key, false);
    if (typeof value === 'string') {
      at = putText(at, value, true);
    } else if (typeof value === 'boolean') {
      view.setUint8(at++, value ? 1 : 0);
    } else {
      view.setUint32(at, value, true);
      view.setUint32(at + 4, 0, true);
      at += 8;
    }
  }
  return at - block;
};

const call = (method, name, properties) => core.call(method, block, put(name, properties));

const track = (name, number) => {
  const status = call(TRACK, name, [
    ['price', number % 100],
    ['sku', 'tent-2'],
    ['page', '/items/tent-2'],
    ['member', 1],
  ]);
  need(status === 0, `track: ${status}`);
};

/** The answer's bytes, as a page gets them. */
const ask = () => {
  const status = core.ask(ASK_EVENT, block, put('app_open', []));
  need(status === 0, `ask: ${status}`);
  return copy(core.exchange(), core.exchange_bytes());
};

const textOf = (bytes) => {
  let text = '';
  for (let i = 0; i < bytes.length; i++) text += String.fromCharCode(bytes[i]);
  return text;
};

// --- the person, as in bench_client

const showAll = (first, hours) => {
  nowMs = NOON_MS - hours * HOUR_MS;
  for (let i = 0; i < POPUPS; i++) {
    if ((i === POPUPS - 1 ? 1 : i % 2) !== first) continue;
    const name = `popup_${String(i).padStart(4, '0')}`;
    need(call(TRACK, '$popup_show', [['popup', name]]) === 0, 'not shown');
    if (i % ROUND < 2) drain();
  }
  drain();
};

const live = () => {
  showAll(1, 48);
  for (let i = 0; i < 1000; i++) {
    nowMs = NOON_MS - 47 * HOUR_MS + i * 60000;
    track(i % 2 === 0 ? 'view_item' : 'scroll', i);
    if (i % ROUND === 0) drain();
  }
  showAll(0, 16);
  const properties = [];
  for (let i = 0; i < 20; i++) properties.push([`p${i}`, 20]);
  properties.push(['level', 20], ['city', 'Shanghai'], ['banned', false]);
  need(call(PROFILE_SET, '', properties) === 0, 'no profile');
  nowMs = NOON_MS;
  drain();
};

// --- a life

const open = (module, key) => {
  core = new WebAssembly.Instance(module, { cairn: imports }).exports;
  core._initialize();
  tickets = [];
  block = core.alloc(65536);
  view = new DataView(core.memory.buffer);
  const id = [116, 101, 115, 116]; // "test"
  need(lay(id, (at) => lay(key, (keyAt) => core.trust(at, 4, keyAt, KEY_BYTES))) === 0, 'key');
  const options = new Uint8Array(28 + 8);
  const fields = new DataView(options.buffer);
  [2000, 10000, 1048576, 0, 0, 0, 8].forEach((v, i) => fields.setUint32(4 * i, v, true));
  for (let i = 0; i < 8; i++) options[28 + i] = 'shop-key'.charCodeAt(i);
  const seed = new Uint8Array(32).map((_, i) => i * 37 + 11);
  const status = lay(options, (at) => lay(seed, (seedAt) => core.init(at, 36, seedAt, 32)));
  need(status === 0 && core.start() === 0, 'it does not start');
};

const take = (bundle) =>
  lay(bundle, (at) => {
    const begun = now();
    const status = core.set_bundle(at, bundle.length);
    need(status === 0, `the bundle was refused: ${status}`);
    return now() - begun;
  });

const median = (times) => times.sort((a, b) => a - b)[times.length >> 1];

/** Median of single calls. */
const measure = (step) => {
  const times = [];
  for (let i = 0; i < CALLS; i++) {
    nowMs += 1;
    const begun = now();
    step(i);
    times.push(now() - begun);
    if (i % ROUND === ROUND - 1) drain();
  }
  drain();
  return median(times);
};

/** Median of the means of rounds, where a call is shorter than what the clock tells apart. */
const measureRounds = (rounds, step) => {
  const times = [];
  for (let round = 0; round < rounds; round++) {
    const begun = cpu();
    for (let i = 0; i < ROUND; i++) {
      nowMs += 1;
      step(i);
    }
    times.push((cpu() - begun) / ROUND);
    drain();
  }
  return median(times);
};

const main = () => {
  const file = load(bundlePath);
  const key = file.slice(0, KEY_BYTES);
  const bundle = file.slice(KEY_BYTES);
  const begun = now();
  const module = new WebAssembly.Module(load(wasmPath));
  const figures = { compile: now() - begun };
  const sets = [];
  for (let i = 0; i < (bare ? 3 : 15); i++) {
    open(module, key);
    sets.push(take(bundle));
  }
  figures.set_first = sets[0];
  figures.set = median(sets);
  open(module, key);
  live();
  take(bundle);
  drain();
  const chosen = '"outcome":"show","popup":{"name":"popup_0999"';
  need(textOf(ask()).includes(chosen), 'the last popup was not chosen');
  figures.ask = measure(ask);
  track('app_open', 0);
  drain();
  need(popups === 1, 'the popup was not shown');
  need(core.ask(ASK_CLOSED, block, put('popup_0999', [])) === 0, 'the popup was not closed');
  drain();
  figures.decide = measure((i) => track('app_open', i));
  need(popups === 1, 'another popup was shown');
  figures.track = measureRounds(bare ? 20 : 200, (i) => track('scroll', i));
  figures.counted = measureRounds(10, (i) => track('view_item', i));
  measureRounds(30, (i) => track('view_item', i));
  figures.full = measureRounds(bare ? 20 : 200, (i) => track('view_item', i));
  for (const name in figures) figures[name] = Number(figures[name].toPrecision(4));
  say(JSON.stringify(figures));
};

main();
