// site.mjs: the folder that the edge under test serves: the test page and the built package.
import { cpSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const here = new URL('.', import.meta.url).pathname;
const built = join(here, '../../wasm/dist');

export const isBuilt = () => existsSync(join(built, 'cairn.wasm')) && existsSync(join(built, 'index.js'));

export function makeSite() {
  const folder = mkdtempSync(join(tmpdir(), 'cairn-site-'));
  cpSync(join(here, 'page'), folder, { recursive: true });
  cpSync(built, join(folder, 'sdk'), { recursive: true });
  return { folder, drop: () => rmSync(folder, { recursive: true, force: true }) };
}
