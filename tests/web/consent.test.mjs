// Goal: in a real Chromium nothing is stored and nothing leaves before consent; after a grant what
// waited is in the answer exactly once; after a withdrawal the storage is empty and nothing is sent.
// Method: the built package on a page of its own origin; the browser is asked for its databases,
// localStorage and cookies, every request is seen, and the peer edge keeps each event.
import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import { dropProfile, killBrowser, launch, newProfile } from './browser.mjs';
import { startPeerEdge } from './peer_edge.mjs';
import { isBuilt, startSite } from './site.mjs';

const WAIT_MS = 15_000;
const QUIET_MS = 800;
const skip = isBuilt() ? false : 'wasm/dist is not built: run wasm/build.sh';
let site;
let edge;
let profile;
let context;
let sent;

before(async () => {
  if (!skip) site = await startSite();
});
after(() => site?.stop());

async function start() {
  context = await launch(profile);
  context.on('request', (request) => request.url().includes('/v1/') && sent.push(request.url()));
}

beforeEach(async () => {
  if (skip) return;
  sent = [];
  edge = await startPeerEdge();
  profile = newProfile();
  await start();
});

afterEach(async () => {
  if (skip) return;
  await context?.close().catch(() => undefined);
  await edge?.stop();
  dropProfile(profile);
});

const REQUIRED = { consent: { required: true } };

async function open(options = REQUIRED, prepare = null) {
  const page = await context.newPage();
  if (prepare) await page.addInitScript(prepare);
  await page.goto(`${site.url}/index.html?edge=${encodeURIComponent(edge.url)}#wait`);
  await page.evaluate((options) => {
    window.cairn = window.init({ ...window.options, flushIntervalMs: 200, ...options });
    window.cairn.on('problem', (problem) => window.problems.push(problem));
  }, options);
  return page;
}

/** Everything of ours that this origin keeps. */
const kept = (page) =>
  page.evaluate(async () => ({
    databases: (await indexedDB.databases()).map(({ name }) => name),
    local: { ...localStorage },
    session: { ...sessionStorage },
    cookie: document.cookie,
  }));
const NOTHING = { databases: [], local: {}, session: {}, cookie: '' };

const track = (page, name, count) =>
  page.evaluate(
    ([name, count]) => {
      for (let i = 1; i <= count; i++) window.cairn.track(name, { n: i });
    },
    [name, count],
  );

const consent = (page, choice) => page.evaluate((choice) => window.cairn.consent(choice), choice);
const quiet = () => new Promise((resolve) => setTimeout(resolve, QUIET_MS));

async function until(what, reached) {
  const endMs = Date.now() + WAIT_MS;
  while (!(await reached())) {
    if (Date.now() > endMs) assert.fail(`not within ${WAIT_MS} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 30));
  }
}

async function exactly(name, count) {
  await until(`${count} of ${name}`, () => edge.peer.count(name) >= count);
  await quiet();
  assert.equal(edge.peer.count(name), count);
}

const isEmpty = (page) =>
  until('an empty storage', async () => {
    const now = await kept(page);
    return now.databases.length === 0 && Object.keys(now.local).length === 0;
  });

test('before consent nothing is stored and nothing leaves', { skip }, async () => {
  const page = await open();
  await page.evaluate(() => {
    window.cairn.track('early');
    window.cairn.login('u1');
    window.cairn.register({ plan: 'pro' });
    window.cairn.profile.set({ city: 'Lyon' });
    window.cairn.consent({ marketing: true });
    return window.cairn.flush({ timeoutMs: 300 });
  });
  await quiet();
  assert.deepEqual(await kept(page), NOTHING);
  await page.reload();
  await quiet();
  assert.deepEqual(await kept(page), NOTHING);
  assert.deepEqual(sent, []);
});

test('after a grant what waited arrives once, with its times', { skip }, async () => {
  const page = await open();
  const beforeMs = Date.now();
  await track(page, 'early', 60);
  await quiet();
  const grantedMs = Date.now();
  await consent(page, { analytics: true, marketing: false, source: 'banner', textVersion: '7' });
  await exactly('early', 60);
  for (const event of edge.peer.events().filter(({ name }) => name === 'early')) {
    assert.ok(event.timeMs >= beforeMs - 1 && event.timeMs < grantedMs);
  }
  const choices = edge.peer.events().filter(({ kind }) => kind === 'CONSENT');
  assert.equal(choices.length, 1);
  assert.deepEqual(choices[0].properties, {
    analytics: 'granted',
    marketing: 'denied',
    source: 'banner',
    text_version: '7',
  });
  const again = await open();
  await track(again, 'later', 3);
  await exactly('later', 3);
  assert.equal(edge.peer.devices.size, 1);
  assert.deepEqual(
    await again.evaluate(() => window.cairn.consentState()),
    { analytics: 'granted', marketing: 'denied', personalisation: 'unknown' },
  );
});

test('a grant in one tab lets the others in', { skip }, async () => {
  const first = await open();
  const second = await open();
  await track(first, 'tabs', 5);
  await track(second, 'tabs', 7);
  await consent(second, { analytics: true });
  await exactly('tabs', 12);
  assert.equal(edge.peer.devices.size, 1);
});

test('after a withdrawal storage is empty and nothing is sent', { skip }, async () => {
  const page = await open();
  const other = await open();
  await consent(page, { analytics: true });
  await track(page, 'seen', 4);
  await exactly('seen', 4);
  await edge.down();
  await track(page, 'never', 5);
  await track(other, 'never', 5);
  await consent(other, { analytics: false });
  await edge.up();
  await page.evaluate(() => window.dispatchEvent(new Event('online')));
  await isEmpty(page);
  assert.equal(edge.peer.count('never'), 0);
  const choices = edge.peer.events().filter(({ kind }) => kind === 'CONSENT');
  assert.deepEqual(
    choices.map(({ properties }) => properties.analytics),
    ['granted', 'denied'],
  );
  sent = [];
  await track(page, 'after', 3);
  await track(other, 'after', 3);
  await page.reload();
  await quiet();
  assert.deepEqual(sent, []);
  assert.deepEqual(await kept(page), NOTHING);
  assert.equal(edge.peer.devices.size, 1);
});

test('a browser killed in the midst of a withdrawal goes on with it', { skip }, async () => {
  const page = await open();
  await consent(page, { analytics: true });
  await track(page, 'seen', 2);
  await exactly('seen', 2);
  await edge.down();
  await track(page, 'never', 5);
  await consent(page, { analytics: false });
  await page.waitForTimeout(200);
  killBrowser(profile);
  await edge.up();
  await start();
  const again = await open();
  await until('the withdrawal at the edge', () =>
    edge.peer.events().some(({ properties }) => properties.analytics === 'denied'),
  );
  await isEmpty(again);
  assert.equal(edge.peer.count('never'), 0);
  assert.equal(edge.peer.devices.size, 1);
});

test('granting again after a withdrawal makes another device', { skip }, async () => {
  const page = await open();
  await consent(page, { analytics: true });
  await track(page, 'first', 1);
  await exactly('first', 1);
  await consent(page, { analytics: false });
  await isEmpty(page);
  await consent(page, { analytics: true });
  await track(page, 'second', 2);
  await exactly('second', 2);
  assert.equal(edge.peer.devices.size, 2);
});

test('a denial where nothing was asked is remembered, alone', { skip }, async () => {
  const page = await open({});
  await track(page, 'seen', 1);
  await exactly('seen', 1);
  await consent(page, { analytics: false });
  await until('no database', async () => (await kept(page)).databases.length === 0);
  await quiet();
  sent = [];
  const again = await open({});
  await track(again, 'after', 2);
  await quiet();
  assert.deepEqual(sent, []);
  const { databases, local } = await kept(again);
  assert.deepEqual(databases, []);
  assert.deepEqual(Object.keys(local), ['cairn:demo-write-key:consent']);
});

test('erasing asks the server and begins a new device', { skip }, async () => {
  const page = await open({});
  await page.evaluate(() => window.cairn.login('u1'));
  await track(page, 'seen', 1);
  await exactly('seen', 1);
  await page.evaluate(() => window.cairn.erase());
  await track(page, 'anew', 2);
  await exactly('anew', 2);
  const wishes = edge.peer.events().filter(({ kind }) => kind === 'ERASE');
  assert.deepEqual(
    wishes.map(({ ids }) => ids),
    [[{ type: 'login', value: 'u1' }]],
  );
  assert.equal(edge.peer.devices.size, 2);
});

test('Global Privacy Control is a denial, where it is honoured', { skip }, async () => {
  const gpc = () =>
    Object.defineProperty(Navigator.prototype, 'globalPrivacyControl', { get: () => true });
  const page = await open({ respectPrivacySignals: true }, gpc);
  await track(page, 'signalled', 3);
  await quiet();
  assert.deepEqual(await kept(page), NOTHING);
  assert.deepEqual(sent, []);
  assert.equal(await page.evaluate(() => window.cairn.allows('personalisation')), false);
  const deaf = await open({}, gpc);
  await track(deaf, 'not_asked', 1);
  await exactly('not_asked', 1);
  assert.equal(edge.peer.count('signalled'), 0);
});

test('rules of privacy hold before anything is kept', { skip }, async () => {
  await edge.down();
  const page = await open({
    privacy: {
      salt: 'pepper',
      rules: [
        { name: 'card_*', action: 'drop' },
        { name: 'mail', action: 'hash' },
        { name: 'email', action: 'hash', target: 'ids' },
      ],
    },
  });
  await page.evaluate(() => {
    window.cairn.track('paid', { card_number: '4111', mail: 'anna@example.com', amount: 3 });
    window.cairn.track('next');
    window.cairn.login('anna@example.com', 'email');
  });
  await edge.up();
  await page.evaluate(() => window.dispatchEvent(new Event('online')));
  await exactly('next', 1);
  const hashed = '299fd0d6813531a4c4e8a8e3e3aaba588e5cff2d85a70395d0464e442f8e415e';
  const [paid] = edge.peer.events().filter(({ name }) => name === 'paid');
  assert.deepEqual(paid.properties, { mail: hashed, amount: 3 });
  const [login] = edge.peer.events().filter(({ kind }) => kind === 'LOGIN');
  assert.deepEqual(login.ids, [{ type: 'email', value: hashed }]);
});
