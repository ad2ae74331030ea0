// Goal: every question and act of cairn_decide.h does through the WASM core what its manual says: with
// definitions as operators put them, over restarts without a network, and with what is missing.
// Method: the core under node on a disk that the test commits and crashes (life.mjs), a client without
// a browser; the bundle is made and signed by the real edge.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startEdge } from './edge.mjs';
import { isBuilt, Life, wasmBytes } from './life.mjs';

const DEFINITIONS = {
  'decisions/settings': { groups: { offers: { caps: [{ at_most: 2, per: 'day' }] } } },
  'audiences/buyers': { rule: 'count(purchase, last 7 days) >= 2' },
  'popups/welcome': {
    triggers: ['view'],
    caps: [{ at_most: 1, per: 'session' }],
    groups: ['offers'],
    content: { headline: '欢迎' },
  },
  'popups/cart-only': { triggers: ['look'], pages: ['/cart'], content: 1 },
  'popups/later': { triggers: ['wait'], delay: '5 s', content: 2 },
  'popups/german': { triggers: ['speak'], audience: 'device.language = "de"', content: 3 },
  'slots/hero': {
    size: 2,
    items: [
      { id: 'a', content: 'A' },
      { id: 'b', audience: 'member("buyers")', content: 'B' },
      { id: 'c', content: 'C' },
    ],
    lists: { all: ['b', 'a', 'c'] },
    strategies: [{ name: 'all', recall: [{ list: 'all' }] }],
    default: 'all',
  },
  'experiments/price': {
    variants: [
      { name: 'red', value: 'r' },
      { name: 'blue', value: { tone: 'b' } },
    ],
    coverage: 1,
    fallback: null,
  },
};

let edge;
let bundle;
let key;
let skip = isBuilt() ? false : 'wasm/dist is not built: run wasm/build.sh';

before(async () => {
  if (skip) return;
  edge = await startEdge();
  if (edge.kind !== 'edge') return;
  for (const [path, definition] of Object.entries(DEFINITIONS)) await edge.put(path, definition);
  bundle = await edge.bundle();
  key = await edge.bundleKey();
});
after(() => edge?.stop());

const decided = (name, run) =>
  test(name, { skip }, async (t) => {
    if (bundle) await run(t);
    else t.skip('there is no real edge that makes bundles');
  });

const trusted = () => [{ id: key.id, bytes: new Uint8Array(Buffer.from(key.key, 'base64')) }];

async function begin() {
  const life = await Life.begin({ trusted: trusted() });
  assert.equal(ask(life, 'setBundle', '', { bytes: bundle }).status, 0);
  life.pass(10);
  return life;
}

const ask = (life, method, name = '', { properties = {}, page = '/', tab = 'a', bytes } = {}) => {
  const { status, json } = life.core.ask({ method, name, value: '', properties, page, tab, bytes });
  return { status, answer: json ? JSON.parse(json) : null };
};

const answerOf = (life, method, name, more) => {
  const { status, answer } = ask(life, method, name, more);
  assert.equal(status, 0, method);
  return answer;
};

decided('a bundle is taken, kept, and holds after a restart without a network', async () => {
  const life = await begin();
  const { version } = answerOf(life, 'inspect').bundle;
  assert.ok(version > 0);
  const slots = [...life.disk.states.keys()];
  assert.ok(slots.some((slot) => slot === 2 || slot === 3), `state slots ${slots}`);
  life.online = false;
  await life.crash();
  assert.equal(answerOf(life, 'inspect').bundle.version, version);
  assert.equal(answerOf(life, 'popup', 'welcome').outcome, 'show');
  assert.equal(ask(life, 'setBundle', '', { bytes: bundle.slice(0, 50) }).status, 1);
});

decided('a popup comes after its show is durable, is capped, and is counted once', async () => {
  const life = await begin();
  life.call('track', 'view');
  assert.deepEqual(life.chosen, [{ name: 'welcome', tab: '' }]);
  life.core.pump();
  assert.deepEqual(life.popups, []);
  life.pass(10);
  assert.deepEqual(life.popups, [
    {
      popup: 'welcome',
      version: 1,
      variant: 'main',
      groups: ['offers'],
      template: 'modal',
      content: { headline: '欢迎' },
    },
  ]);
  life.call('popupClick', 'welcome', { properties: { where: 'button' } });
  life.call('popupClose', 'welcome');
  ask(life, 'inspect'); // reasons are kept for who looks
  life.call('track', 'view');
  life.pass(5000);
  assert.equal(life.popups.length, 1);
  const [last] = answerOf(life, 'inspect').decisions;
  assert.equal(last.candidates[0].reason, 'cap');
  assert.equal(last.candidates[0].cap.window, 'session');
  const names = life.arrived().map(({ name }) => name);
  for (const name of ['$popup_show', '$popup_click', '$popup_close'])
    assert.equal(names.filter((n) => n === name).length, 1, name);
});

decided('numbers beyond 2^31 keep their place: the device remembers after a crash', async () => {
  const life = await begin();
  life.call('track', 'view');
  life.pass(10);
  const segments = [...life.disk.chunks.values()].map(({ segment }) => segment);
  assert.ok(Math.max(...segments) >= 2 ** 31, `segments ${segments}`);
  assert.ok(Math.min(...segments) >= 0, `segments ${segments}`);
  await life.crash();
  assert.equal(answerOf(life, 'event', 'view').candidates[0].reason, 'cap');
});

decided('a call that outlived the core that showed its popup is tracked all the same', async () => {
  const life = await begin();
  life.call('track', 'view');
  life.pass(10);
  await life.crash();
  const properties = { popup: 'welcome', version: 1, variant: 'main', groups: ['offers'] };
  assert.equal(life.call('popupClick', 'welcome', { properties }), null);
  life.pass(5000);
  const click = life.arrived().find(({ name }) => name === '$popup_click');
  assert.equal(click.properties.popup, 'welcome');
  assert.deepEqual(click.properties.groups, ['offers']);
});

decided('pages, delays, and what was asked by whom', async () => {
  const life = await begin();
  const look = (page) => answerOf(life, 'event', 'look', { page }).candidates[0].reason;
  assert.deepEqual([look('/'), look('/cart')], ['page', 'show']);
  const call = { method: 'track', name: 'look', value: '', properties: {}, timeMs: life.nowMs };
  life.core.run({ ...call, monoMs: life.nowMs, tab: 'b', page: '/cart' });
  assert.deepEqual(life.chosen, [{ name: 'cart-only', tab: 'b' }]);
  life.pass(10);
  life.core.popupGone('cart-only');
  life.call('track', 'wait');
  assert.equal(life.popups.length, 1);
  life.pass(4000);
  assert.equal(life.popups.length, 1);
  life.pass(1500);
  assert.equal(life.popups[1].popup, 'later');
  life.call('popupClose', 'later');
  assert.equal(answerOf(life, 'show', 'welcome', { tab: 'c' }).outcome, 'show');
  assert.deepEqual(life.chosen.at(-1), { name: 'welcome', tab: 'c' });
});

decided('slots, experiments, the device: answers with their reasons', async () => {
  const life = await begin();
  const ids = () => answerOf(life, 'slot', 'hero').items.map(({ id }) => id);
  assert.deepEqual(ids(), ['a', 'c']);
  life.track('purchase');
  life.track('purchase');
  assert.deepEqual(ids(), ['b', 'a']);
  life.call('slotShown', 'hero', { value: 'b', properties: { position: 1 } });
  life.call('slotClicked', 'hero', { value: 'b', properties: { position: 1 } });
  const [exposed] = answerOf(life, 'expose', 'price').experiments;
  assert.equal(exposed.reason, 'assigned');
  assert.deepEqual(answerOf(life, 'experiment', 'price').experiments[0].variant, exposed.variant);
  assert.equal(answerOf(life, 'experiments').experiments.length, 1);
  assert.equal(answerOf(life, 'experiment', 'nobody').experiments[0].reason, 'unknown_name');
  const speak = () => answerOf(life, 'event', 'speak').candidates[0].reason;
  assert.equal(speak(), 'audience');
  assert.equal(life.core.setPlace('Europe/Berlin', { language: 'de' }), null);
  assert.equal(speak(), 'show');
  life.pass(5000);
  const count = (name) => life.arrived().filter((event) => event.name === name).length;
  assert.deepEqual(['$slot_show', '$slot_click', '$experiment_exposure'].map(count), [1, 1, 1]);
});

decided('a client without a browser: every call answers, whatever is missing', async () => {
  const { Client } = await import(`${new URL('../../', import.meta.url).pathname}build/wasm/testing.mjs`);
  const problems = [];
  const open = async (more) => {
    const client = new Client({
      serverUrl: 'http://127.0.0.1:1',
      writeKey: 'demo-write-key',
      wasmBytes: await wasmBytes(),
      storage: 'memory',
      decideTimeoutMs: 3000,
      ...more,
    });
    client.on('problem', (problem) => problems.push(problem.code));
    client.start();
    return client;
  };
  const hex = Buffer.from(key.key, 'base64').toString('hex');
  const plain = await open();
  assert.equal((await plain.decide({ event: 'view' })).reason, 'no_keys');
  assert.ok((await plain.inspect()).ids.device);
  await plain.shutdown();
  assert.equal((await plain.slot('hero')).why.reason, 'no_keys');

  const bad = await open({ bundleKeys: [{ id: 'x', key: 'AAAA' }] });
  assert.equal((await bad.experiment('price')).reason, 'no_keys');
  await bad.shutdown();

  const asking = await open({ bundleKeys: [{ id: key.id, key: hex }], consent: { required: true } });
  assert.equal((await asking.decide({ slot: 'hero' })).reason, 'no_consent');
  await asking.shutdown();

  const client = await open({ bundleKeys: [{ id: key.id, key: hex }], device: { language: 'de' } });
  assert.equal((await client.experiment('price')).reason, 'no_bundle');
  assert.equal(await client.flag('price', 'mine'), 'mine');
  assert.equal(await client.setBundle(new Uint8Array(9)), false);
  assert.equal(await client.setBundle(bundle), true);
  client.track('view');
  while ((await client.inspect()).popup.stage !== 'open') await new Promise((r) => setTimeout(r, 5));
  const popup = await new Promise((resolve) => client.on('popup', resolve)); // it waits for one
  assert.equal(popup.name, 'welcome');
  popup.click();
  popup.close({ how: 'x' });
  popup.close();
  assert.equal((await client.popup.show('welcome')).candidates[0].reason, 'cap');
  assert.equal((await client.decide({ event: 'speak' })).candidates[0].reason, 'show');
  assert.deepEqual((await client.slot('hero')).items.map(({ id }) => id), ['a', 'c']);
  assert.equal((await client.experiments()).experiments.length, 1);
  assert.equal((await client.experiment('price')).reason, 'assigned');
  assert.equal((await client.inspect()).popup.stage, 'none');
  client.setPage('/cart');
  assert.equal((await client.decide({ event: 'look' })).candidates[0].reason, 'show');
  await client.shutdown();
  assert.equal((await client.decide({ event: 'view' })).reason, 'unavailable');
  assert.ok(problems.includes('bundle_key_refused'));
  assert.ok(problems.includes('bundle_refused'));
});
