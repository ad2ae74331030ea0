// Goal: the tabs of a real Chromium decide as one: a cap is never passed by tabs that race, by a tab
// or a browser that dies at any moment, or by a reload; a popup comes to the tab that the person sees;
// without a network what was known still decides.
// Method: the built package against the real edge, definitions through its admin listener; kill -9.
import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import { dropProfile, killBrowser, launch, newProfile } from './browser.mjs';
import { startEdge } from './edge.mjs';
import { isBuilt, startSite } from './site.mjs';

const ROUNDS = 6;
const SETTLE_MS = 700; // longer than a hand-over of a popup takes
const skip = isBuilt() ? false : 'wasm/dist is not built: run wasm/build.sh';
const once = (trigger) => ({ triggers: [trigger], caps: [{ at_most: 1 }], content: { for: trigger } });

let edge;
let site;
let key;
let profile;
let context;
let shows;

async function define() {
  for (let i = 0; i < ROUNDS; i++) await edge.put(`popups/once-${i}`, once(`view-${i}`));
  await edge.put('popups/often', { triggers: ['often'], content: null });
  await edge.put('popups/at-cart', { triggers: ['look'], pages: ['/cart'], content: null });
  await edge.put('slots/hero', {
    size: 1,
    items: [{ id: 'a', content: 'A' }],
    lists: { all: ['a'] },
    default: 'all',
  });
  await edge.put('experiments/price', {
    variants: [{ name: 'red', value: 'r' }],
    coverage: 1,
    fallback: 'none',
  });
}

before(async () => {
  if (skip) return;
  edge = await startEdge();
  site = await startSite();
  if (edge.kind !== 'edge') return;
  await define();
  key = await edge.bundleKey();
});
after(async () => {
  site?.stop();
  await edge?.stop();
});

beforeEach(async () => {
  if (skip) return;
  profile = newProfile();
  await begin();
});
afterEach(async () => {
  if (skip) return;
  await context?.close().catch(() => undefined);
  dropProfile(profile);
});

/** `shows` outlives the browser: what a page has been given it has said before it died. */
async function begin() {
  context = await launch(profile);
  shows = [];
  await context.exposeBinding('shown', (_source, name) => shows.push(name));
}

const decided = (name, run) =>
  test(name, { skip }, async (t) => {
    if (key) await run(t);
    else t.skip('there is no real edge that makes bundles');
  });

async function open(hash = '') {
  const page = await context.newPage();
  const asked = new URLSearchParams({ edge: edge.url, keys: JSON.stringify([key]) });
  await page.goto(`${site.url}/index.html?${asked}${hash}`);
  return page;
}

const roleIs = (page, role) =>
  page.waitForFunction((role) => window.cairn.getStatus().role === role, role);

/** Until the definitions are in force. */
const defined = (page) =>
  page.evaluate(async () => {
    while (!((await window.cairn.inspect()).bundle?.version > 0))
      await new Promise((resolve) => setTimeout(resolve, 50));
  });

async function pair() {
  const sender = await open();
  await roleIs(sender, 'sender');
  await defined(sender);
  const follower = await open();
  await roleIs(follower, 'follower');
  return [sender, follower];
}

const track = (page, name) => page.evaluate((name) => window.cairn.track(name), name);
const settle = () => new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
const popups = (page) => page.evaluate(() => window.popups.map(({ name }) => name));
const hide = (page, hidden) =>
  page.evaluate((hidden) => {
    const visibilityState = hidden ? 'hidden' : 'visible';
    Object.defineProperty(document, 'visibilityState', { value: visibilityState, configurable: true });
    document.dispatchEvent(new Event('visibilitychange'));
  }, hidden);

decided('a follower asks, and gets the answers of the one core', async () => {
  const [sender, follower] = await pair();
  const ask = () =>
    Promise.all([
      window.cairn.slot('hero'),
      window.cairn.experiment('price'),
      window.cairn.flag('nobody', 'mine'),
      window.cairn.decide({ event: 'view-0' }),
      window.cairn.experiments(),
      window.cairn.inspect(),
    ]).then(([slot, experiment, flag, event, all, inside]) => ({
      items: slot.items.map(({ id }) => id),
      experiment: experiment.value,
      flag,
      event: event.candidates.map(({ reason }) => reason),
      all: all.experiments.length,
      device: inside.ids.device,
    }));
  const here = await sender.evaluate(ask);
  assert.deepEqual(here.items, ['a']);
  assert.deepEqual([here.experiment, here.flag, here.event, here.all], ['r', 'mine', ['show'], 1]);
  assert.deepEqual(await follower.evaluate(ask), here);
});

decided('what was asked of a dying tab is answered by the next', async () => {
  const [sender, follower] = await pair();
  const third = await open();
  await roleIs(third, 'follower');
  const ask = () =>
    Promise.all(Array.from({ length: 5 }, () => window.cairn.slot('hero'))).then((slots) =>
      slots.map(({ source }) => source),
    );
  const asked = [follower, third].map((page) => page.evaluate(ask));
  await sender.close();
  for (const sources of await Promise.all(asked)) assert.deepEqual(new Set(sources), new Set(['default']));
  for (const sources of await Promise.all([follower, third].map((page) => page.evaluate(ask))))
    assert.deepEqual(new Set(sources), new Set(['default']));
});

decided('tabs that race never pass a cap of one, and one tab shows it', async () => {
  const [sender, follower] = await pair();
  for (let i = 0; i < ROUNDS; i++) {
    const race = (name) => {
      for (let n = 0; n < 10; n++) window.cairn.track(name);
    };
    await Promise.all([sender, follower].map((page) => page.evaluate(race, `view-${i}`)));
    await settle();
    assert.equal(shows.filter((name) => name === `once-${i}`).length, 1, `round ${i}: ${shows}`);
    for (const page of [sender, follower])
      await page.evaluate(() => window.popups.forEach((popup) => popup.close()));
    await settle();
  }
});

decided('a popup comes to the tab that brought it; else to the one that is seen', async () => {
  const [sender, follower] = await pair();
  const shown = async (by, to) => {
    await track(by, 'often');
    await settle();
    assert.equal((await popups(to)).length, 1);
    await to.evaluate(() => window.popups.splice(0).forEach((popup) => popup.close()));
    await settle();
  };
  await shown(sender, sender);
  await shown(follower, follower);
  await hide(sender, true);
  await shown(sender, follower); // such as one that was delayed
  await hide(sender, false);
  await hide(follower, true);
  await shown(follower, sender);
  await hide(sender, true);
  await shown(follower, sender); // nobody is seen: the one that sends
  assert.equal(shows.length, 5);
});

decided('a tab that dies with its popup makes room for the next', async () => {
  const [sender, follower] = await pair();
  await track(follower, 'often');
  await follower.waitForFunction(() => window.popups.length === 1);
  await track(sender, 'often');
  await settle();
  assert.equal(shows.length, 1, 'one at a time');
  await follower.close();
  await settle();
  await track(sender, 'often');
  await sender.waitForFunction(() => window.popups.length === 1);
});

decided('a popup outlives the tab that sent it: what is done with it counts', async () => {
  const [sender, follower] = await pair();
  const clicks = await edge.count('$popup_click');
  await track(follower, 'often');
  await follower.waitForFunction(() => window.popups.length === 1);
  await sender.close();
  await roleIs(follower, 'sender');
  await track(follower, 'view-0'); // its core knows of no open popup
  await settle();
  assert.equal(shows.length, 1, 'one at a time on one screen');
  await follower.evaluate(() => {
    window.popups[0].click({ where: 'button' });
    window.popups[0].close();
  });
  await follower.waitForFunction(() => window.popups.length === 2);
  const { ok } = await follower.evaluate(() => window.cairn.flush({ timeoutMs: 15_000 }));
  assert.equal(ok, true);
  const endMs = Date.now() + 10_000;
  while ((await edge.count('$popup_click')) === clicks && Date.now() < endMs) await settle();
  assert.equal(await edge.count('$popup_click'), clicks + 1);
});

decided('pages are those of the tab that asks', async () => {
  const [sender, follower] = await pair();
  await follower.evaluate(() => window.cairn.setPage('/cart'));
  const reason = () =>
    window.cairn.decide({ event: 'look' }).then(({ candidates }) => candidates[0].reason);
  assert.equal(await sender.evaluate(reason), 'page');
  assert.equal(await follower.evaluate(reason), 'show');
  await track(follower, 'look');
  await follower.waitForFunction(() => window.popups.length === 1);
});

decided('the sending tab dies while a popup is being kept: not one too many', async () => {
  let [sender, follower] = await pair();
  for (let i = 0; i < ROUNDS; i++) {
    sender.evaluate((name) => window.cairn.track(name), `view-${i}`).catch(() => undefined);
    await new Promise((resolve) => setTimeout(resolve, [0, 2, 5, 10, 20, 50][i]));
    await sender.close();
    await roleIs(follower, 'sender');
    for (let n = 0; n < 3; n++) await track(follower, `view-${i}`);
    await settle();
    assert.ok(shows.filter((name) => name === `once-${i}`).length <= 1, `round ${i}: ${shows}`);
    await follower.evaluate(() => window.popups.splice(0).forEach((popup) => popup.close()));
    sender = follower;
    follower = await open();
    await roleIs(follower, 'follower');
  }
  const { reason } = await sender.evaluate(() =>
    window.cairn.decide({ popup: 'once-0' }).then(({ candidates }) => candidates[0]),
  );
  assert.equal(reason, 'cap');
});

decided('a reload in the midst of it: not one too many', async () => {
  const page = await open();
  await roleIs(page, 'sender');
  await defined(page);
  for (let i = 0; i < ROUNDS; i++) {
    await page.evaluate((name) => window.cairn.track(name), `view-${i}`);
    await page.reload();
    await roleIs(page, 'sender');
    for (let n = 0; n < 3; n++) await track(page, `view-${i}`);
    await settle();
    assert.ok(shows.filter((name) => name === `once-${i}`).length <= 1, `round ${i}: ${shows}`);
    await page.evaluate(() => window.popups.forEach((popup) => popup.close()));
    await settle();
  }
});

decided('the browser killed before or after the popup came: not one too many', async () => {
  for (let i = 0; i < 4; i++) {
    let page = await open();
    await roleIs(page, 'sender');
    await defined(page);
    page.evaluate((name) => window.cairn.track(name), `view-${i}`).catch(() => undefined);
    if (i % 2 === 0) await new Promise((resolve) => setTimeout(resolve, 5 * i));
    else await page.waitForFunction(() => window.popups.length === 1);
    killBrowser(profile);
    const before = shows.filter((name) => name === `once-${i}`).length;
    await begin();
    page = await open();
    await roleIs(page, 'sender');
    for (let n = 0; n < 3; n++) await track(page, `view-${i}`);
    await settle();
    const now = shows.filter((name) => name === `once-${i}`).length;
    assert.ok(before + now <= 1, `round ${i}: ${before} before, ${now} after`);
    await context.close();
    await begin();
  }
});

decided('with no edge at all, after a reload: what was known decides', async () => {
  let page = await open();
  await roleIs(page, 'sender');
  await defined(page);
  await track(page, 'view-0');
  await page.waitForFunction(() => window.popups.length === 1);
  await page.evaluate(() => window.popups[0].close());
  await page.evaluate(() => window.cairn.flush());
  const asked = await edge.count('$popup_show');
  assert.ok(asked >= 1);
  await edge.down();
  try {
    await context.close();
    await begin();
    page = await open();
    await roleIs(page, 'sender');
    const reasons = await page.evaluate(async () => {
      const of = async (name) => (await window.cairn.decide({ popup: name })).candidates[0].reason;
      return [await of('once-0'), await of('once-1'), await window.cairn.flag('price', 'x')];
    });
    assert.deepEqual(reasons, ['cap', 'show', 'r']);
    assert.equal((await page.evaluate(() => window.cairn.slot('hero'))).source, 'default');
    await track(page, 'view-1');
    await page.waitForFunction(() => window.popups.length === 1);
  } finally {
    await edge.up();
  }
});
