// peer_edge.mjs: the other end of the wire in another language and with another protobuf library.
// It keeps the contract of POST /v1/sync (200 with acked_seq, dedupe by device and seq) and can be
// told to fail. The node tests use it; the browser tests do too where cairn-edge is not built.
import { createServer } from 'node:http';
import { readFile } from 'node:fs/promises';
import { extname, join, normalize } from 'node:path';
import { gunzipSync } from 'node:zlib';
import protobuf from 'protobufjs';

const root = new URL('../../', import.meta.url).pathname;
const schema = await protobuf.load(join(root, 'proto/cairn.proto'));
const SyncRequest = schema.lookupType('cairn.v1.SyncRequest');
const SyncResponse = schema.lookupType('cairn.v1.SyncResponse');
const KINDS = schema.lookupEnum('cairn.v1.EventKind').valuesById;

const TYPES = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.mjs': 'text/javascript',
  '.wasm': 'application/wasm',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
};

function valueOf(property, dictionary) {
  if (property.textCode) return dictionary[property.textCode - 1];
  if (property.list) return property.list.items;
  const value = property[property.value];
  return value !== undefined && value !== null && typeof value === 'object'
    ? Number(value)
    : (value ?? null);
}

/** One event as plain data, its dictionary codes resolved. */
function plainEvent(event, dictionary) {
  const properties = {};
  for (const p of event.properties) {
    properties[p.nameCode ? dictionary[p.nameCode - 1] : p.name] = valueOf(p, dictionary);
  }
  return {
    seq: Number(event.seq),
    name: event.nameCode ? dictionary[event.nameCode - 1] : (event.name ?? ''),
    timeMs: Number(event.timeMs),
    kind: KINDS[event.kind],
    properties,
    ids: event.ids.map((id) => ({ type: id.type, value: id.value })),
  };
}

export function decodeSync(body) {
  const request = SyncRequest.decode(body);
  return {
    projectKey: request.projectKey,
    device: Buffer.from(request.deviceId).toString('hex'),
    sentMs: Number(request.sentMs),
    sdk: `${request.sdkName}/${request.sdkVersion}`,
    platform: request.platform,
    ids: request.ids.map((id) => ({ type: id.type, value: id.value })),
    events: request.events.map((event) => plainEvent(event, request.dictionary)),
  };
}

export class Peer {
  devices = new Map(); // device -> Map(seq -> event)
  requests = []; // { device, seqs, gzip, keepalive }
  fail = null; // (request) => { status, headers } | null
  writeKey = 'demo-write-key';

  /** Takes one SyncRequest and returns { status, headers, body }. */
  sync(body, seen = {}) {
    const request = decodeSync(body);
    this.requests.push({
      ...seen,
      device: request.device,
      seqs: request.events.map((e) => e.seq),
    });
    const failure = this.fail?.(request);
    if (failure)
      return { status: failure.status, headers: failure.headers ?? {}, body: Buffer.alloc(0) };
    if (request.projectKey !== this.writeKey)
      return { status: 401, headers: {}, body: Buffer.alloc(0) };
    const known = this.devices.get(request.device) ?? new Map();
    this.devices.set(request.device, known);
    for (const event of request.events) {
      if (!known.has(event.seq)) known.set(event.seq, event);
    }
    const ackedSeq = Math.max(0, ...request.events.map((e) => e.seq));
    const answer = SyncResponse.encode({ ackedSeq, serverMs: Date.now() }).finish();
    return { status: 200, headers: { 'content-type': 'application/x-protobuf' }, body: answer };
  }

  events() {
    return [...this.devices.values()].flatMap((known) => [...known.values()]);
  }

  count(name) {
    return this.events().filter((event) => event.name === name).length;
  }
}

function bodyOf(request) {
  return new Promise((resolve, reject) => {
    const parts = [];
    request.on('data', (part) => parts.push(part));
    request.on('end', () => resolve(Buffer.concat(parts)));
    request.on('error', reject);
  });
}

export async function serveFile(folder, path, response) {
  const file = join(folder, normalize(path === '/' ? '/index.html' : path));
  try {
    const bytes = await readFile(file);
    response.writeHead(200, {
      'content-type': TYPES[extname(file)] ?? 'application/octet-stream',
    });
    response.end(bytes);
  } catch {
    response.writeHead(404).end();
  }
}

const CORS = {
  'access-control-allow-origin': '*',
  'access-control-allow-methods': 'POST',
  'access-control-allow-headers': 'content-type, content-encoding',
  'access-control-max-age': '600',
};

async function answer(peer, request, response) {
  if (request.method === 'OPTIONS') return response.writeHead(204, CORS).end();
  if (request.method !== 'POST' || request.url !== '/v1/sync')
    return response.writeHead(404, CORS).end();
  const raw = await bodyOf(request).catch(() => null);
  if (raw === null) return undefined;
  const gzip = request.headers['content-encoding'] === 'gzip';
  const { status, headers, body } = peer.sync(gzip ? gunzipSync(raw) : raw, { gzip });
  return response.writeHead(status, { ...CORS, ...headers }).end(body);
}

/** The peer behind a real socket. down() and up() take the network away and give it back. */
export async function startPeerEdge() {
  const peer = new Peer();
  let server;
  let port = 0;
  const up = async () => {
    server = createServer((request, response) => void answer(peer, request, response));
    await new Promise((resolve) => server.listen(port, '127.0.0.1', resolve));
    port = server.address().port;
  };
  const down = () =>
    new Promise((resolve) => {
      server.close(resolve);
      server.closeAllConnections();
    });
  await up();
  return {
    kind: 'peer',
    peer,
    url: `http://127.0.0.1:${port}`,
    count: async (name) => peer.count(name),
    up,
    down,
    stop: down,
  };
}
