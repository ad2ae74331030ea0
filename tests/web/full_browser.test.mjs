// Goal: in a real Chromium the local history in SQL lives on OPFS in a worker: over reloads and killed
// browsers, and one page at a time has it.
// Method: the built package on a page; kill -9 of the browser's process tree.
import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import { dropProfile, killBrowser, launch, newProfile } from './browser.mjs';
import { isBuilt, startSite } from './site.mjs';

const skip = isBuilt() ? false : 'wasm/dist is not built: run wasm/build.sh';
let site;
let profile;
let context;

before(async () => {
  if (!skip) site = await startSite();
});
after(() => site?.stop());

beforeEach(async () => {
  if (skip) return;
  profile = newProfile();
  context = await launch(profile);
});

afterEach(async () => {
  if (skip) return;
  await context?.close().catch(() => undefined);
  dropProfile(profile);
});

async function open() {
  const page = await context.newPage();
  await page.goto(`${site.url}/full.html`);
  await page.waitForFunction(() => window.loaded);
  return { page, status: await page.evaluate(() => window.open_()) };
}

const note = (page, from, to) =>
  page.evaluate(
    ([from, to]) => {
      const rows = [];
      for (let seq = from; seq <= to; seq++) {
        const event = window.encodeEvent('purchase', seq, { amount: seq });
        rows.push({ seq, person: 1, event });
      }
      return window.history_.note(rows);
    },
    [from, to],
  );

const ask = (page, text) => page.evaluate((text) => window.history_.ask(text), text);

test('rows on OPFS outlive a reload and a killed browser', { skip }, async () => {
  const first = await open();
  assert.deepEqual(first.status, { newest: 0, storage: 'opfs', reason: '' });
  await note(first.page, 1, 100);
  await first.page.reload();
  await first.page.waitForFunction(() => window.loaded);
  assert.equal((await first.page.evaluate(() => window.open_())).newest, 100);
  await note(first.page, 101, 150);
  assert.ok(killBrowser(profile) > 0);
  await context.close().catch(() => undefined);
  context = await launch(profile);
  const { page, status } = await open();
  assert.equal(status.newest, 150);
  const answer = await ask(page, "SELECT count(*), sum(property(event, 'amount')) FROM events");
  assert.deepEqual(answer.rows, [[150, 11325]]);
});

test('a second page has memory and is told why; questions fail with a code', { skip }, async () => {
  await open();
  const { page, status } = await open();
  assert.equal(status.storage, 'memory');
  assert.match(status.reason, /Access Handle|modification|NoModificationAllowed/i);
  await note(page, 1, 3);
  assert.deepEqual((await ask(page, 'SELECT count(*) FROM events')).rows, [[3]]);
  const code = await page.evaluate(() =>
    window.history_.ask('DROP TABLE events').catch((error) => `${error.code}: ${error.message}`),
  );
  assert.match(code, /^invalid: not authorized/);
});
