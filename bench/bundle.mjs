// bundle.mjs: what a new bundle costs the WASM core under node: verified, read and indexed.
//   node bundle.mjs FILE   a key and a signed bundle, as `bench_bundle --write FILE` writes them
import { existsSync, readFileSync } from 'node:fs';

const path = new URL('../build/wasm/bundle_bench.wasm', import.meta.url).pathname;
const ROUNDS = 40;
const KEY_BYTES = 65;

if (!existsSync(path)) {
  console.log(JSON.stringify({ skipped: 'it is not built: wasm/build.sh bench' }));
  process.exit(0);
}
const module = new WebAssembly.Module(readFileSync(path));
const core = new WebAssembly.Instance(module, {}).exports;
core._initialize();
const { memory, take, judge, read, held } = core;
const file = readFileSync(process.argv[2]);
const at = take(file.length);
new Uint8Array(memory.buffer).set(file, at);

const verify = [];
const load = [];
for (let i = 0; i < ROUNDS; i++) {
  const begun = performance.now();
  if (judge(at, at + KEY_BYTES, file.length - KEY_BYTES) !== 0) throw new Error('not believed');
  const between = performance.now();
  if (read() !== 0) throw new Error('not read');
  load.push(performance.now() - between);
  verify.push(between - begun);
}
const first = verify[0] + load[0]; // before the engine has optimised anything
const median = (times) => times.sort((a, b) => a - b)[times.length >> 1];
const [verifyMs, loadMs] = [median(verify), median(load)];
console.log(
  JSON.stringify({
    ms: +(verifyMs + loadMs).toFixed(2),
    verify_ms: +verifyMs.toFixed(2),
    load_ms: +loadMs.toFixed(2),
    first_ms: +first.toFixed(1),
    arena_bytes: held(),
  }),
);
