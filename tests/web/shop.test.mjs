// Goal: the example shop works for a person: from the list to an order, in both languages, and what
// they did is in the answer, also when the network was gone meanwhile.
// Method: the built shop in Chromium, clicked through as a visitor would.
import assert from 'node:assert/strict';
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

before(async () => {
  if (skip) return;
  edge = await startEdge();
  shop = await startShop(edge.url);
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
