// edge.mjs: the edge that the browser tests talk to: build/dev/bin/cairn-edge (CAIRN_EDGE_BIN names
// another), or the peer of peer_edge.mjs with CAIRN_EDGE_BIN=peer.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { startPeerEdge } from './peer_edge.mjs';

const root = new URL('../../', import.meta.url).pathname;
const candidates = [
  process.env.CAIRN_EDGE_BIN,
  join(root, 'build/dev/bin/cairn-edge'),
  join(root, 'build/release/bin/cairn-edge'),
];

export async function startEdge() {
  const binary = candidates.find((path) => path && (path === 'peer' || existsSync(path)));
  if (!binary || binary === 'peer') return startPeerEdge();
  const { startRealEdge } = await import('./real_edge.mjs');
  return startRealEdge(binary);
}
