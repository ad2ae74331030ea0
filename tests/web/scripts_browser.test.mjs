// Goal: in a real Chromium a script runs in a Worker that is terminated when it takes too long, and the
// next script runs in a new one; the page's thread is never held up; whoever cannot have a script is
// told why.
// Method: the built package on a page; the hostile scripts of tests/unit/sdk/script/hostile. Times are
// printed, not asserted.
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import { dropProfile, launch, newProfile } from './browser.mjs';
import { startSite } from './site.mjs';

const root = new URL('../..', import.meta.url);
const built = ['full.js', 'script-worker.js', 'cairn-script.wasm'].every((name) =>
  existsSync(new URL(`wasm/dist/${name}`, root)),
);
const skip = built ? false : 'wasm/dist is not built: run wasm/build.sh';
const folder = new URL('tests/unit/sdk/script/hostile/', root);
const hostile = readdirSync(folder)
  .filter((name) => name.endsWith('.js'))
  .map((name) => {
    const source = readFileSync(new URL(name, folder), 'utf8');
    return { name, source, ends: source.match(/^\/\/ ends: (\w+)/)[1] };
  });
/** A good script's clock here: wide, so that a slow machine changes nothing. */
const WIDE_MS = 20_000;
let site;
let profile;
let context;
let page;

before(async () => {
  if (!skip) site = await startSite();
});
after(() => site?.stop());

beforeEach(async () => {
  if (skip) return;
  profile = newProfile();
  context = await launch(profile);
  page = await context.newPage();
  await page.goto(`${site.url}/scripts.html`);
  await page.waitForFunction(() => window.loaded);
});

afterEach(async () => {
  if (skip) return;
  await context?.close().catch(() => undefined);
  dropProfile(profile);
});

const open = (options) =>
  page.evaluate((options) => {
    window.runner = window.open_(options);
  }, options);

const run = (use, source, input) =>
  page.evaluate(
    async ([use, source, input]) => {
      const begun = performance.now();
      let ticks = 0;
      const timer = setInterval(() => (ticks += 1), 5); // the page's own thread goes on
      const answer = await window.run_(window.runner, use, source, input);
      clearInterval(timer);
      return { answer, ms: performance.now() - begun, ticks, replaced: window.runner.replaced };
    },
    [use, source, input],
  );

test('results of every use, and the same chance for the same seed', { skip }, async () => {
  await open({ wallMs: WIDE_MS });
  const score = await run('score', 'function main(i) { return i.a * 2.5; }', '{"a":3}');
  assert.deepEqual(score.answer, { result: 7.5 });
  const rank = 'function main(i) { return i.items.map(function (x) { return -x; }); }';
  assert.deepEqual((await run('rank', rank, '{"items":[1,2]}')).answer, { result: [-1, -2] });
  const tag = await run('tag', 'function main() { return { no: 1 }; }');
  assert.equal(tag.answer.reason, 'script_result');
  const chance = 'function main() { return [Math.random(), Date.now()]; }';
  const first = (await run('any', chance)).answer;
  assert.deepEqual((await run('any', chance)).answer, first);
  assert.equal(first.result[1], 1790000000123);
});

test('an endless script is terminated, and the next one runs in a new worker', { skip }, async () => {
  await open({});
  const loop = await run('any', 'function main() { for (;;); }');
  assert.equal(loop.answer.reason, 'script_timeout');
  assert.equal(loop.answer.useDefault, true);
  assert.equal(loop.replaced, 1);
  assert.ok(loop.ticks > 0, 'the page went on meanwhile');
  await page.evaluate(() => {
    window.runner.options.wallMs = 20_000; // the worker's first run compiles the module's code
  });
  const next = await run('score', 'function main() { return 5; }');
  assert.deepEqual(next.answer, { result: 5 });
  assert.equal(next.replaced, 1);
});

test('every hostile script ends for its reason and leaves the next one alone', { skip }, async (t) => {
  for (const { name, source, ends } of hostile) {
    await open(ends === 'timeout' ? { wallMs: 300 } : { wallMs: WIDE_MS });
    const { answer, ms, replaced } = await run('any', source);
    t.diagnostic(`${name} ${ms.toFixed(0)} ms ${answer.reason ?? 'ok'}`);
    const reason = answer.reason?.replace('script_', '') ?? 'ok';
    assert.equal(reason, ends, `${name}: ${JSON.stringify(answer).slice(0, 200)}`);
    assert.equal(replaced, ends === 'timeout' ? 1 : 0, name);
    await page.evaluate(() => {
      window.runner.options.wallMs = 20_000;
    });
    const clean = await run('any', 'function main() { return [typeof ({}).score, [].length]; }');
    assert.deepEqual(clean.answer, { result: ['undefined', 0] }, name);
    await page.evaluate(() => window.runner.close());
  }
});

test('where scripts cannot run the reason is told, and nobody waits', { skip }, async () => {
  await open({ wasmUrl: '/nowhere.wasm' });
  assert.equal((await run('any', 'function main() {}')).answer.reason, 'script_unavailable');
  await open({ workerUrl: '/nowhere.js' });
  assert.equal((await run('any', 'function main() {}')).answer.reason, 'script_unavailable');
  const crowd = await page.evaluate(async () => {
    window.runner = window.open_({ wallMs: 20_000 });
    const source = 'function main() { return 1; }';
    const all = Array.from({ length: 40 }, () => window.run_(window.runner, 'score', source));
    return (await Promise.all(all)).map((answer) => answer.reason ?? 'ok');
  });
  assert.equal(crowd.filter((reason) => reason === 'ok').length, 32);
  assert.equal(crowd.filter((reason) => reason === 'script_busy').length, 8);
});
