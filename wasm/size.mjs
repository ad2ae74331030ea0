// size.mjs: the package's sizes as a table. `node size.mjs write` writes SIZE.md, anything else
// compares: a size may shrink freely, and grow past the written one by SLACK only on purpose.
import { readFileSync, writeFileSync } from 'node:fs';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';

const BROTLI_BYTES_MAX = {
  'cairn.wasm': 70 * 1024,
  'cairn-full.wasm': 320 * 1024,
  'cairn-script.wasm': 96 * 1024,
};
const SLACK = 1.02; // other compilers of the same version may differ by a few bytes
const here = new URL('.', import.meta.url);
const files = ['cairn.wasm', 'cairn-full.wasm', 'cairn-script.wasm', 'index.js'];

const brotli = (bytes) =>
  brotliCompressSync(bytes, {
    params: {
      [constants.BROTLI_PARAM_QUALITY]: 11,
      [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length,
    },
  });

const rows = files.map((name) => {
  const bytes = readFileSync(new URL(`dist/${name}`, here));
  return {
    name,
    raw: bytes.length,
    gzip: gzipSync(bytes, { level: 9 }).length,
    brotli: brotli(bytes).length,
  };
});

const table = `# Size in bytes

Written by \`wasm/build.sh size\`, compared by every build. Limits, brotli: ${Object.entries(
  BROTLI_BYTES_MAX,
)
  .map(([name, bytes]) => `${name} ${bytes}`)
  .join(', ')}.

| file | raw | gzip -9 | brotli -q 11 |
|---|---:|---:|---:|
${rows.map((row) => `| ${row.name} | ${row.raw} | ${row.gzip} | ${row.brotli} |`).join('\n')}
`;

const fail = (text) => {
  console.error(`size: ${text}`);
  process.exitCode = 1;
};

for (const row of rows) {
  const most = BROTLI_BYTES_MAX[row.name] ?? Infinity;
  if (row.brotli > most) fail(`${row.name} is ${row.brotli} bytes brotli, the limit is ${most}`);
}
if (process.argv[2] === 'size' || process.argv[2] === 'write') {
  writeFileSync(new URL('SIZE.md', here), table);
} else {
  const written = readFileSync(new URL('SIZE.md', here), 'utf8');
  for (const row of rows) {
    const was = Number(
      written.match(new RegExp(`\\| ${row.name} \\| \\d+ \\| \\d+ \\| (\\d+) \\|`))?.[1],
    );
    if (!(row.brotli <= was * SLACK))
      fail(
        `${row.name} is ${row.brotli} bytes brotli, SIZE.md says ${was}: run wasm/build.sh size`,
      );
  }
}
console.log(rows.map((row) => `${row.name}: ${row.raw} raw, ${row.brotli} brotli`).join('; '));
