// real_edge.mjs: cairn-edge on free ports with a data folder of its own, behind the same few words
// as the peer of peer_edge.mjs: url, count, up, down, stop.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../support/free_port.mjs';

const START_MS_MAX = 30_000;
const DAY_MS = 86_400_000;

const config = (data, publicPort, adminPort) => `data_dir: ${data}
public_listen: 127.0.0.1:${publicPort}
admin_listen: 127.0.0.1:${adminPort}
projects:
  - name: web
    write_key: demo-write-key
`;

async function count(admin, name) {
  const query = {
    model: 'event',
    from: new Date(Date.now() - DAY_MS).toISOString(),
    to: new Date(Date.now() + DAY_MS).toISOString(),
    series: [{ name: 'n', on: name, measure: 'count' }],
  };
  const headers = { 'content-type': 'application/json' };
  const answer = await fetch(`${admin}/v1/analyze`, {
    method: 'POST',
    headers,
    body: JSON.stringify(query),
  });
  const { columns, rows, detail } = await answer.json();
  if (!answer.ok) throw new Error(`analyze answered ${answer.status}: ${detail}`);
  const at = columns.findIndex((column) => (column.name ?? column) === 'n');
  return rows.reduce((sum, row) => sum + Number(row[at] ?? 0), 0);
}

const HEADERS = { 'content-type': 'application/json' };

/** Put a definition, such as "popups/welcome"; what it is built of is JSON. */
async function put(admin, path, definition) {
  const body = JSON.stringify(definition);
  const answer = await fetch(`${admin}/v1/${path}`, { method: 'PUT', headers: HEADERS, body });
  if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
}

/** The key as init({ bundleKeys }) takes it. */
async function bundleKey(admin) {
  const { id, public_key: key } = await (await fetch(`${admin}/v1/bundle/key`)).json();
  return { id, key };
}

const bundle = async (admin) =>
  new Uint8Array(await (await fetch(`${admin}/v1/bundle`)).arrayBuffer());

export async function startRealEdge(binary) {
  const folder = mkdtempSync(join(tmpdir(), 'cairn-web-'));
  const [publicPort, adminPort] = [await freePort(), await freePort()];
  const admin = `http://127.0.0.1:${adminPort}`;
  const configPath = join(folder, 'edge.yaml');
  const logPath = join(folder, 'edge.log');
  writeFileSync(configPath, config(join(folder, 'data'), publicPort, adminPort));
  let child;

  const up = async () => {
    const log = openSync(logPath, 'a');
    child = spawn(binary, ['--config', configPath], { stdio: ['ignore', log, log] });
    closeSync(log);
    const endMs = Date.now() + START_MS_MAX;
    while (
      !(await fetch(`${admin}/readyz`).then(
        (answer) => answer.ok,
        () => false,
      ))
    ) {
      if (child.exitCode !== null || Date.now() > endMs)
        throw new Error(`the edge did not start:\n${readFileSync(logPath, 'utf8')}`);
      await new Promise((done) => setTimeout(done, 50));
    }
  };
  const down = async () => {
    if (child.exitCode !== null) return;
    const ended = once(child, 'exit');
    child.kill('SIGTERM');
    await ended;
  };
  await up();
  const stop = async () => {
    await down();
    rmSync(folder, { recursive: true, force: true });
  };
  return {
    kind: 'edge',
    url: `http://127.0.0.1:${publicPort}`,
    count: (name) => count(admin, name),
    put: (path, definition) => put(admin, path, definition),
    bundleKey: () => bundleKey(admin),
    bundle: () => bundle(admin),
    up,
    down,
    stop,
  };
}
