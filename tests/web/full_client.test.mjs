// Goal: in a real Chromium the full flavour's table holds every tracked event exactly once: of any tab,
// over reloads and killed browsers; a withdrawal leaves no file; a slot's script ranks, and an endless
// one leaves the default order with its reason.
// Method: the built package on a page, the real edge behind it; kill -9 of the browser's process tree.
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import { dropProfile, killBrowser, launch, newProfile } from './browser.mjs';
import { startEdge } from './edge.mjs';
import { isBuilt, startSite } from './site.mjs';

const built = isBuilt() && existsSync(new URL('../../wasm/dist/full.js', import.meta.url));
const skip = built ? false : 'wasm/dist is not built: run wasm/build.sh';
/** A transaction of fifty puts is in the browser's process after some 10 ms (measured). */
const TICK_MS = 100;
const WAIT_MS = 20_000;
let site;
let edge;
let profile;
let context;

before(async () => {
  if (!skip) site = await startSite();
});
after(() => site?.stop());

beforeEach(async () => {
  if (skip) return;
  edge = await startEdge();
  profile = newProfile();
  context = await launch(profile);
});

afterEach(async () => {
  if (skip) return;
  await context?.close().catch(() => undefined);
  await edge?.stop();
  dropProfile(profile);
});

async function open(options = {}, more = '') {
  const page = await context.newPage();
  await page.goto(`${site.url}/full_client.html?edge=${encodeURIComponent(edge.url)}${more}`);
  return again(page, options);
}

async function again(page, options = {}) {
  await page.waitForFunction(() => window.loaded);
  await page.evaluate((options) => window.begin(options), options);
  return page;
}

/** Playwright's own wait takes a promise for true. */
async function until(reached) {
  const endMs = Date.now() + WAIT_MS;
  while (!(await reached())) {
    assert.ok(Date.now() < endMs, 'not reached in time');
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

const noFiles = (page) =>
  page.evaluate(async () => {
    const root = await navigator.storage.getDirectory();
    for await (const name of root.keys()) return name === '';
    return true;
  });

const track = (page, name, from, to) =>
  page.evaluate(
    ([name, from, to]) => {
      for (let n = from; n <= to; n++) window.cairn.track(name, { n });
      return new Promise((resolve) => setTimeout(resolve, 100));
    },
    [name, from, to],
  );

const sql = async (page, text) =>
  (await page.evaluate((text) => window.cairn.sql(text), text)).rows;

const COUNT = `SELECT count(*), count(DISTINCT property(event, 'n')), min(property(event, 'n')),
  max(property(event, 'n')) FROM events WHERE name = 'seen'`;

/** Every number from 1 to n is there, once. */
async function holds(page, n) {
  assert.deepEqual(await sql(page, COUNT), [[n, n, 1, n]]);
}

test('every event of every tab is a row once, over reloads and kills', { skip }, async () => {
  const first = await open();
  await track(first, 'seen', 1, 40);
  await holds(first, 40); // also what was tracked a moment ago
  assert.equal(await first.evaluate(() => window.cairn.sqlStatus().storage), 'opfs');
  const second = await open();
  await second.waitForFunction(() => window.cairn.getStatus().role === 'follower');
  await track(second, 'seen', 41, 60);
  await holds(second, 60); // asked of the tab that sends
  await holds(first, 60);
  await first.reload();
  await again(first);
  await track(first, 'seen', 61, 80);
  await holds(first, 80);
  await holds(second, 80);
  await track(first, 'seen', 81, 90);
  await new Promise((resolve) => setTimeout(resolve, TICK_MS));
  assert.ok(killBrowser(profile) > 0);
  await context.close().catch(() => undefined);
  context = await launch(profile);
  const third = await open();
  await holds(third, 90);
  await track(third, 'seen', 91, 95);
  await holds(third, 95);
  assert.deepEqual(await third.evaluate(() => window.problems), []);
});

test('a killed browser before the rows were copied: the next start catches up', { skip }, async () => {
  const workerUrl = '/nowhere.js'; // the table is never opened
  const page = await open({ workerUrl });
  await track(page, 'seen', 1, 700);
  await page.waitForFunction(() => window.cairn.getStatus().lastSeq === 700);
  await new Promise((resolve) => setTimeout(resolve, 5 * TICK_MS));
  killBrowser(profile);
  await context.close().catch(() => undefined);
  context = await launch(profile);
  await holds(await open(), 700);
});

test('a withdrawal leaves no file, and a new grant begins anew', { skip }, async () => {
  const page = await open();
  await track(page, 'canary_of_the_person', 1, 30);
  assert.deepEqual(await sql(page, 'SELECT count(*) FROM events'), [[30]]);
  const before = await page.evaluate(() => window.files());
  assert.ok(before.some(({ text }) => text.includes('canary_of_the_person')));
  await page.evaluate(() => window.cairn.consent({ analytics: false }));
  await page.waitForFunction(() => window.cairn.getStatus().role === 'waiting');
  await until(() => noFiles(page));
  const refused = await page.evaluate(() => window.cairn.sql('SELECT 1').catch((e) => e.code));
  assert.equal(refused, 'no_consent');
  await page.evaluate(() => window.cairn.consent({ analytics: true }));
  await page.waitForFunction(() => window.cairn.getStatus().role === 'sender');
  await track(page, 'seen', 1, 5);
  await holds(page, 5);
  assert.deepEqual(await sql(page, "SELECT count(*) FROM events WHERE name LIKE 'canary%'"), [[0]]);
  await page.evaluate(() => window.cairn.erase());
  await track(page, 'seen', 1, 3);
  await until(async () => (await sql(page, COUNT))[0][0] === 3);
  assert.deepEqual(await page.evaluate(() => window.problems), []);
});

test('a purge that a kill interrupted goes on: no file of it is left', { skip }, async () => {
  const page = await open();
  await track(page, 'canary_of_the_person', 1, 30);
  await sql(page, 'SELECT count(*) FROM events');
  await edge.down(); // the farewell waits: the purge cannot end
  await page.evaluate(() => window.cairn.consent({ analytics: false }));
  await new Promise((resolve) => setTimeout(resolve, TICK_MS));
  killBrowser(profile);
  await context.close().catch(() => undefined);
  await edge.up();
  context = await launch(profile);
  const next = await open();
  await next.waitForFunction(() => window.cairn.getStatus().role === 'waiting');
  await until(() => noFiles(next));
});

test('without OPFS the table is in memory, and says why', { skip }, async () => {
  const page = await open({ workerUrl: './no_opfs_worker.js' });
  await track(page, 'seen', 1, 3);
  await holds(page, 3);
  const status = await page.evaluate(() => window.cairn.sqlStatus());
  assert.equal(status.storage, 'memory');
  assert.match(status.reason, /getDirectory/);
  const problems = await page.evaluate(() => window.problems);
  assert.deepEqual(problems.map(({ code }) => code), ['sql_in_memory']);
  await page.reload();
  await again(page); // with files this time: what the device remembers is copied
  await holds(page, 3);
});

test('wrong questions have a code, in every tab', { skip }, async () => {
  const first = await open();
  await track(first, 'seen', 1, 1);
  const second = await open();
  for (const page of [first, second]) {
    const said = await page.evaluate(() =>
      window.cairn.sql('DELETE FROM events').catch((e) => `${e.code}: ${e.message}`),
    );
    assert.match(said, /^invalid: not authorized/);
    await holds(page, 1);
  }
});

const SLOT = {
  size: 3,
  items: [2.5, 30, 9].map((price) => ({ id: `p${price}`, properties: { price } })),
  lists: { all: ['p2.5', 'p30', 'p9'] },
  default: 'all',
  strategies: [{ name: 's', recall: [{ list: 'all' }], script: 'mine' }],
};
const DEAREST = `function main(i) { return i.items.map(function (x) { return x.price; }); }`;

/** A page whose bundle has the slot "home", ranked by this script. */
async function slotPage(t, source, scripts = {}) {
  if (edge.kind !== 'edge') return t.skip('the real edge is not built');
  await edge.put('decisions/settings', { scripts: { mine: source } });
  await edge.put('slots/home', SLOT);
  const page = await open({ bundleKeys: [await edge.bundleKey()], scripts });
  await bundled(page);
  return page;
}

/** The bundle has come: a question without its script says so. */
async function bundled(page) {
  await until(async () => {
    const { strategies } = await page.evaluate(() => window.cairn.decide({ slot: 'home' }));
    return strategies.length > 0;
  });
}

const slot = (page) =>
  page.evaluate(async () => {
    const { items, why } = await window.cairn.slot('home');
    return { order: items.map(({ id }) => id), script: why.strategies[0].script ?? null };
  });

test("a slot's script ranks it, in every tab", { skip }, async (t) => {
  const wide = { wallMs: 20_000 }; // the worker's first run compiles the module's code
  const page = await slotPage(t, DEAREST, wide);
  if (!page) return;
  assert.deepEqual(await slot(page), { order: ['p30', 'p9', 'p2.5'], script: null });
  const other = await open({ bundleKeys: [await edge.bundleKey()], scripts: wide });
  await other.waitForFunction(() => window.cairn.getStatus().role === 'follower');
  await bundled(other);
  assert.deepEqual(await slot(other), { order: ['p30', 'p9', 'p2.5'], script: null });
});

test('an endless script leaves the default order and its reason', { skip }, async (t) => {
  const page = await slotPage(t, 'function main() { for (;;); }');
  if (!page) return;
  const lost = { order: ['p2.5', 'p30', 'p9'], script: 'script_timeout' };
  assert.deepEqual(await slot(page), lost);
  assert.deepEqual(await slot(page), lost);
});

test('where scripts cannot run the order is the default, with the reason', { skip }, async (t) => {
  const page = await slotPage(t, DEAREST, { wasmUrl: '/nowhere.wasm' });
  if (!page) return;
  const lost = { order: ['p2.5', 'p30', 'p9'], script: 'script_unavailable' };
  assert.deepEqual(await slot(page), lost);
});
