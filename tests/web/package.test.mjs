// Goal: an outsider can install the packed package: import it in node without effect, and find the
// types and the core where package.json says.
// Method: npm pack, unpacked into a project of its own.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { isBuilt } from './site.mjs';

const skip = isBuilt() ? false : 'wasm/dist is not built: run wasm/build.sh';
const source = new URL('../../wasm/', import.meta.url).pathname;
let project;

before(() => {
  if (skip) return;
  project = mkdtempSync(join(tmpdir(), 'cairn-outsider-'));
  const packed = execFileSync(
    'npm',
    ['pack', '--ignore-scripts', '--silent', '--pack-destination', project],
    { cwd: source, encoding: 'utf8' },
  );
  const unpacked = join(project, 'node_modules/cairn-sdk');
  mkdirSync(unpacked, { recursive: true });
  execFileSync('tar', [
    'xzf',
    join(project, packed.trim().split('\n').pop()),
    '-C',
    unpacked,
    '--strip-components=1',
  ]);
});

after(() => project && rmSync(project, { recursive: true, force: true }));

test('the package holds the module, its types, the core and the words', { skip }, () => {
  const at = (path) => join(project, 'node_modules/cairn-sdk', path);
  const description = JSON.parse(readFileSync(at('package.json'), 'utf8'));
  assert.equal(Object.keys(description.exports['.'])[0], 'types');
  assert.equal(description.sideEffects, false);
  for (const path of [
    description.exports['.'].types,
    description.exports['.'].import,
    description.exports['./cairn.wasm'],
    'README.md',
  ]) {
    assert.ok(existsSync(at(path)), path);
  }
  assert.equal(existsSync(at('src')), false);
});

test(
  'importing it in node does nothing, and init gives a client that does nothing',
  { skip },
  () => {
    const script = `
    const before = Object.keys(globalThis).join();
    const { init } = await import('cairn-sdk');
    const cairn = init({ serverUrl: 'https://edge.invalid', writeKey: 'k' });
    cairn.track('x', { a: 1 });
    cairn.profile.set({ b: 2 });
    const { ok } = await cairn.flush();
    console.log(JSON.stringify({ same: before === Object.keys(globalThis).join(), ok, role: cairn.getStatus().role }));`;
    writeFileSync(join(project, 'try.mjs'), script);
    const printed = execFileSync(process.execPath, ['try.mjs'], {
      cwd: project,
      encoding: 'utf8',
    });
    assert.deepEqual(JSON.parse(printed), { same: true, ok: false, role: 'off' });
  },
);

test('its types stand alone under the strictest compiler', { skip }, () => {
  const use = `import { init, type Cairn, type Status } from 'cairn-sdk';
    const cairn: Cairn = init({ serverUrl: '', writeKey: '' });
    cairn.track('x', { a: 1, b: [''], c: new Date(), d: null, e: 1n, f: undefined });
    cairn.on('status', (status: Status) => void status.queuedEvents);
    // @ts-expect-error objects are not values
    cairn.track('x', { nested: { a: 1 } });`;
  writeFileSync(join(project, 'use.ts'), use);
  const options = [
    '--noEmit',
    '--strict',
    '--exactOptionalPropertyTypes',
    '--module',
    'nodenext',
    '--target',
    'es2022',
    '--lib',
    'es2022,dom',
  ];
  execFileSync(
    process.execPath,
    [join(source, 'node_modules/typescript/bin/tsc'), ...options, 'use.ts'],
    { cwd: project, stdio: 'pipe' },
  );
});

test('the core is within its budget and the sizes are those of SIZE.md', { skip }, () => {
  execFileSync(process.execPath, ['size.mjs'], { cwd: source, stdio: 'pipe' });
});
