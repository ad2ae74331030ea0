// Goal: the example shop works for a person: from the list to an order, in both languages, and what
// they did is in the answer, also when the network was gone meanwhile.
// Method: the built shop in Chromium, clicked through as a visitor would.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import { dropProfile, launch, newProfile } from './browser.mjs';
import { startEdge } from './edge.mjs';
import { isShopBuilt, startShop } from './site.mjs';

const WAIT_MS = 20_000;
const skip = isShopBuilt() ? false : 'examples/web/dist is not built: run npm run build there';
let edge;
let shop;
let profile;
let context;
let page;
let errors;
let key = null;

const definitions = new URL('../../examples/web/definitions/', import.meta.url);
/** As load.sh, each after what it needs; but every hour of the day, and whatever the dice say. */
const ORDER = readFileSync(new URL('load.sh', definitions), 'utf8').match(
  /(audiences|decisions|popups|slots|experiments)\/[a-z-]+/g,
);

async function define() {
  for (const path of ORDER) {
    const definition = JSON.parse(readFileSync(new URL(`${path}.json`, definitions), 'utf8'));
    delete definition.quiet;
    definition.variants = definition.variants?.filter(({ control }) => !control);
    await edge.put(path, definition);
  }
}

before(async () => {
  if (skip) return;
  edge = await startEdge();
  if (edge.kind === 'edge') {
    await define();
    key = await edge.bundleKey();
  }
  shop = await startShop(edge.url, key);
});

after(async () => {
  shop?.stop();
  await edge?.stop();
});

beforeEach(async () => {
  if (skip) return;
  profile = newProfile();
  context = await launch(profile);
  page = await context.newPage();
  errors = [];
  page.on('pageerror', (error) => errors.push(error.message));
  page.on('console', (message) => message.type() === 'error' && errors.push(message.text()));
  await page.setViewportSize({ width: 1440, height: 900 });
  await page.goto(`${shop.url}/index.html`);
  await page.click('[data-consent=all]');
});

afterEach(async () => {
  if (skip) return;
  await context.close();
  dropProfile(profile);
});

async function atLeast(name, count) {
  const endMs = Date.now() + WAIT_MS;
  while ((await edge.count(name)) < count && Date.now() < endMs)
    await new Promise((r) => setTimeout(r, 100));
  assert.equal(await edge.count(name), count, name);
}

async function buy(productId) {
  await page.click(`a.card[href="#/product/${productId}"]`);
  await page.click('[data-action=add]');
  await page.click('a.cart-link');
  await page.click('a[href="#/checkout"]');
  await page.fill('input[name=name]', 'Ada');
  await page.fill('input[name=address]', 'Keswick');
  await page.click('form button.primary');
  await page.waitForSelector('.done');
}

const meter = (name) => page.locator(`[data-meter=${name}]`).innerText();

test('a visitor logs in, buys, and the panel sees it acknowledged', { skip }, async () => {
  await page.click('[data-action=ask-login]');
  await page.fill('dialog input', 'ada');
  await page.click('dialog button.primary');
  await buy('tent-ridge-2');
  await atLeast('purchase', 1);
  await page.waitForFunction(
    () => document.querySelector('[data-meter=queued]').textContent === '0',
  );
  assert.equal(await meter('acked'), await meter('lastSeq'));
  assert.deepEqual(errors, []);
});

test('offline, reload, online: the order is kept, in Chinese too', { skip }, async () => {
  await page.click('[data-action=language]');
  await page.locator('label.switch').click();
  await buy('mug-enamel');
  await page.reload();
  await page.waitForFunction(
    () => Number(document.querySelector('[data-meter=queued]').textContent) >= 5,
  );
  assert.equal(await edge.count('purchase'), 1); // the first test's
  assert.match(await page.innerText('.panel'), /离线/);
  await page.locator('label.switch').click();
  await atLeast('purchase', 2);
  assert.deepEqual(errors, []);
});

const withKey = (name, run) =>
  test(name, { skip }, async (t) => {
    if (key) await run();
    else t.skip('there is no real edge that makes bundles');
  });

const see = async (productId) => {
  await page.goto(`${shop.url}/index.html#/product/${productId}`);
  await page.waitForSelector('article.product');
};

withKey('who looks around is offered a gift once, and the panel says why not again', async () => {
  const exposures = await edge.count('$experiment_exposure'); // of the visitors before
  await page.waitForSelector('[data-pick]');
  assert.equal(await page.locator('[data-pick]').count(), 2);
  await see('tent-ridge-2');
  await see('pack-col-38');
  await see('tent-ridge-2');
  const offer = page.locator('dialog.offer');
  await offer.waitFor();
  assert.equal(await offer.getAttribute('aria-labelledby'), 'offer-title');
  const focused = () => page.evaluate(() => document.activeElement?.dataset.offer ?? '');
  assert.equal(await focused(), 'go');
  for (let n = 0; n < 5; n++) {
    await page.keyboard.press('Tab'); // the focus does not reach what is behind it
    assert.equal(await page.evaluate(() => document.activeElement.closest('#app') !== null), false);
  }
  await page.keyboard.press('Escape');
  await offer.waitFor({ state: 'detached' });
  await see('pack-col-38');
  await see('tent-ridge-2');
  await page.waitForSelector('.why[title=cap_group], .why[title=cap]');
  assert.equal(await offer.count(), 0);
  for (const name of ['$popup_show', '$popup_close']) await atLeast(name, 1);
  await atLeast('$experiment_exposure', exposures + 1); // once in a session
  assert.deepEqual(errors, []);
});

withKey('without consent nothing is decided or sent; it can be taken back', async () => {
  await page.click('[data-action=privacy]');
  await page.click('[data-consent=none]');
  await page.waitForFunction(() => document.querySelectorAll('[data-pick]').length === 0);
  await page.reload();
  assert.equal(await page.locator('[data-pick]').count(), 0);
  assert.deepEqual(errors, []);
});
