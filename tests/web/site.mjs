// site.mjs: a page that uses the built package.
import { cpSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { serveFile } from './peer_edge.mjs';

const here = new URL('.', import.meta.url).pathname;
const built = join(here, '../../wasm/dist');

export const isBuilt = () => existsSync(join(built, 'cairn.wasm')) && existsSync(join(built, 'index.js'));

/** Its own origin, so that the edge can go away while the page can still be reloaded, and so that
 * every request is one across origins. */
export async function startSite() {
  const folder = mkdtempSync(join(tmpdir(), 'cairn-site-'));
  cpSync(join(here, 'page'), folder, { recursive: true });
  cpSync(built, join(folder, 'sdk'), { recursive: true });
  const server = createServer((request, response) => void serveFile(folder, new URL(request.url, 'http://site').pathname, response));
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const stop = () => {
    server.close();
    server.closeAllConnections();
    rmSync(folder, { recursive: true, force: true });
  };
  return { url: `http://127.0.0.1:${server.address().port}`, stop };
}
