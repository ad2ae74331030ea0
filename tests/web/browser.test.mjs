// Goal: what is tracked in a real Chromium is in the edge's answer exactly once: offline, over
// reloads, killed browsers, closed pages, several tabs, and a database that fails.
// Method: the built package on a page served by the edge; kill -9 of the browser's process tree.
import assert from 'node:assert/strict';
import { after, before, beforeEach, afterEach, test } from 'node:test';
import { dropProfile, killBrowser, launch, newProfile } from './browser.mjs';
import { startEdge } from './edge.mjs';
import { isBuilt, startSite } from './site.mjs';

const WAIT_MS = 20_000;
/** A transaction of fifty puts is in the browser's process after some 10 ms (measured). */
const TICK_MS = 50;
const skip = isBuilt() ? false : 'wasm/dist is not built: run wasm/build.sh';
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

async function open(hash = '') {
  const page = await context.newPage();
  await page.goto(`${site.url}/index.html?edge=${encodeURIComponent(edge.url)}${hash}`);
  return page;
}

const ready = (page) =>
  page.waitForFunction(() => ['sender', 'follower'].includes(window.cairn.getStatus().role));

/** Track `count` events of one name, each with its number, and wait so long. */
const track = (page, name, count, waitMs = 0) =>
  page.evaluate(
    ([name, count, waitMs]) => {
      for (let i = 1; i <= count; i++)
        window.cairn.track(name, { n: i, page: 'home', amount: 29.5 });
      return new Promise((resolve) => setTimeout(resolve, waitMs));
    },
    [name, count, waitMs],
  );

/** Wait until the answer has at least `count`, then a little longer, so that a repeat would
 * show. */
async function exactly(name, count) {
  const endMs = Date.now() + WAIT_MS;
  while ((await edge.count(name)) < count && Date.now() < endMs)
    await new Promise((r) => setTimeout(r, 50));
  await new Promise((r) => setTimeout(r, 700));
  assert.equal(await edge.count(name), count, `${name} in the answer`);
}

test('tracked offline, reloaded, back online: each event exactly once', { skip }, async () => {
  await edge.down();
  const page = await open();
  await track(page, 'offline_view', 25);
  await page.reload();
  await track(page, 'offline_view', 25);
  await page.reload();
  await ready(page);
  await edge.up();
  assert.equal(await edge.count('offline_view'), 0);
  await page.evaluate(() => window.dispatchEvent(new Event('online')));
  await exactly('offline_view', 50);
  assert.deepEqual(await page.evaluate(() => window.problems), []);
});

test('the browser killed a tick after tracking: nothing is lost', { skip }, async () => {
  await edge.down();
  const page = await open();
  await ready(page);
  await track(page, 'before_kill', 50, TICK_MS);
  assert.ok(killBrowser(profile) > 1);
  await edge.up();
  context = await launch(profile);
  const again = await open();
  await ready(again);
  await again.evaluate(() => window.cairn.flush());
  await exactly('before_kill', 50);
});

test(
  'the browser killed before the core is ready: the inbox keeps the calls',
  { skip },
  async () => {
    await context.route('**/cairn.wasm', () => undefined); // never answered
    const page = await open();
    await track(page, 'early', 20);
    await page.waitForTimeout(300); // the database of a new profile is being made
    killBrowser(profile);
    context = await launch(profile);
    await open();
    await exactly('early', 20);
  },
);

test('a page that is left before its database is open loses nothing', { skip }, async () => {
  const page = await open('#wait');
  for (let round = 0; round < 5; round++) {
    await page.evaluate(() => {
      const open = indexedDB.open.bind(indexedDB);
      indexedDB.open = () => Object.assign(new EventTarget(), { never: open }); // slower than the visit
      window.cairn = window.init(window.options);
      window.cairn.track('glance', { at: new Date(), count: 12n });
    });
    await page.reload();
  }
  await open();
  await exactly('glance', 5);
});

test('a page that is left hands its last events over, and they count once', { skip }, async () => {
  const page = await open('#wait');
  await page.evaluate(() => {
    window.cairn = window.init({ ...window.options, flushIntervalMs: 60_000 });
  });
  await ready(page);
  await page.evaluate(() => {
    window.cairn.track('settle');
    return window.cairn.flush();
  });
  await page.evaluate(() => {
    window.cairn.track('last_click', { n: 1 });
    setTimeout(() => (location.href = 'about:blank'), 0);
  });
  await exactly('last_click', 1);
  const back = await open();
  await ready(back);
  await back.evaluate(() => window.cairn.flush());
  await exactly('last_click', 1);
  await exactly('settle', 1);
});

test('two tabs: one sends, both are heard, and the other takes over', { skip }, async () => {
  const senders = new Set();
  const first = await open();
  await ready(first);
  const second = await open();
  await ready(second);
  for (const page of [first, second]) {
    page.on('request', (request) => request.url().endsWith('/v1/sync') && senders.add(page));
  }
  assert.equal(await first.evaluate(() => window.cairn.getStatus().role), 'sender');
  assert.equal(await second.evaluate(() => window.cairn.getStatus().role), 'follower');
  await Promise.all([track(first, 'tabs', 20), track(second, 'tabs', 20)]);
  const flushed = await second.evaluate(() => window.cairn.flush());
  assert.equal(flushed.ok, true);
  await exactly('tabs', 40);
  assert.deepEqual([...senders], [first]);

  await first.close();
  await second.waitForFunction(() => window.cairn.getStatus().role === 'sender');
  await track(second, 'tabs', 5);
  await exactly('tabs', 45);
});

test(
  'a lost database connection is opened again and nothing is written twice',
  { skip },
  async () => {
    const page = await open('#wait');
    await page.evaluate(() => {
      const real = IDBDatabase.prototype.transaction;
      let count = 0;
      IDBDatabase.prototype.transaction = function (...args) {
        count += 1;
        if (count % 5 === 0) throw new DOMException('connection lost', 'InvalidStateError');
        return real.apply(this, args);
      };
      window.cairn = window.init({ ...window.options, flushIntervalMs: 100 });
    });
    for (let round = 0; round < 10; round++) await track(page, 'flaky', 5);
    await exactly('flaky', 50);
  },
);

test(
  'a full disk: memory takes over, says so once, and nothing is lost or doubled',
  { skip },
  async () => {
    await edge.down();
    const page = await open();
    await ready(page);
    await track(page, 'quota', 5);
    await page.evaluate(() => {
      const real = IDBObjectStore.prototype.put;
      IDBObjectStore.prototype.put = function (...args) {
        if (this.name === 'state') return real.apply(this, args);
        this.transaction.abort();
        throw new DOMException('full', 'QuotaExceededError');
      };
    });
    await track(page, 'quota', 5);
    await track(page, 'quota', 5);
    await edge.up();
    await page.evaluate(() => window.cairn.flush());
    await exactly('quota', 10); // the first five wait in the database
    const problems = await page.evaluate(() => window.problems.map((p) => p.code));
    assert.deepEqual(problems, ['storage_full']);
    assert.equal(await page.evaluate(() => window.cairn.getStatus().storage), 'memory');
    await page.reload();
    await exactly('quota', 15);
  },
);
