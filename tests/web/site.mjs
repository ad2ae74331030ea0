// site.mjs: a page that uses the built package.
import { cpSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { serveFile } from './peer_edge.mjs';

const here = new URL('.', import.meta.url).pathname;
const built = join(here, '../../wasm/dist');

export const isBuilt = () =>
  existsSync(join(built, 'cairn.wasm')) && existsSync(join(built, 'index.js'));

const pathOf = (request) => new URL(request.url, 'http://site').pathname;

const listening = async (handler) => {
  const server = createServer(handler);
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const stop = () => {
    server.close();
    server.closeAllConnections();
  };
  return { url: `http://127.0.0.1:${server.address().port}`, stop };
};

/** Its own origin, so that the edge can go away while the page can still be reloaded, and so that
 * every request is one across origins. */
export async function startSite() {
  const folder = mkdtempSync(join(tmpdir(), 'cairn-site-'));
  cpSync(join(here, 'page'), folder, { recursive: true });
  cpSync(join(here, 'events.mjs'), join(folder, 'events.mjs'));
  cpSync(built, join(folder, 'sdk'), { recursive: true });
  const site = await listening(
    (request, response) => void serveFile(folder, pathOf(request), response),
  );
  const stop = () => {
    site.stop();
    rmSync(folder, { recursive: true, force: true });
  };
  return { url: site.url, stop };
}

const shop = join(here, '../../examples/web/dist');
export const isShopBuilt = () => existsSync(join(shop, 'index.html'));

/** The built shop and the edge's /v1 on one origin, as in the demo; and the key beside it. */
export function startShop(edgeUrl, key = null) {
  return listening(async (request, response) => {
    if (key && pathOf(request) === '/cairn-key.json') {
      response.writeHead(200, { 'content-type': 'application/json' });
      return response.end(JSON.stringify({ id: key.id, public_key: key.key }));
    }
    if (request.method !== 'POST') return serveFile(shop, pathOf(request), response);
    const body = await new Response(Readable.toWeb(request)).arrayBuffer();
    const headers = Object.fromEntries(
      ['content-type', 'content-encoding'].flatMap((name) =>
        request.headers[name] ? [[name, request.headers[name]]] : [],
      ),
    );
    const answer = await fetch(edgeUrl + pathOf(request), { method: 'POST', headers, body }).catch(
      () => null,
    );
    if (answer === null) return response.destroy();
    response.writeHead(answer.status, {
      'content-type': answer.headers.get('content-type') ?? 'text/plain',
    });
    return response.end(Buffer.from(await answer.arrayBuffer()));
  });
}
