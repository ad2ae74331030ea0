// track.mjs: how long track() takes in the WASM core under node: ten properties, the storage of a
// page that answers at once, a network that acknowledges between the measured blocks.
import { existsSync } from 'node:fs';

const root = new URL('../', import.meta.url).pathname;
const BLOCK = 500; // events between two synchronisations
const BLOCKS = 200;

if (!existsSync(`${root}build/wasm/testing.mjs`) || !existsSync(`${root}wasm/dist/cairn.wasm`)) {
  console.log(JSON.stringify({ skipped: 'the WASM core is not built: tools/build.sh web' }));
  process.exit(0);
}
const { Life } = await import('../tests/web/life.mjs');
const life = await Life.begin();
const properties = {
  item_id: 'tent-2',
  item_name: '双人帐篷',
  category: 'Shelter',
  price: 329.5,
  quantity: 2,
  member: true,
  city: '上海',
  channel: 'search',
  page: '/items/tent-2',
  position: 7,
};
const times = [];
for (let block = 0; block < BLOCKS; block++) {
  const begun = process.hrtime.bigint();
  for (let i = 0; i < BLOCK; i++) life.track('view_item', properties);
  times.push(Number(process.hrtime.bigint() - begun) / BLOCK);
  life.core.flush();
  life.pass(1000);
  life.peer.devices.clear();
  life.peer.requests.length = 0;
}
const status = life.core.status();
if (status.queuedEvents !== 0) throw new Error(`${status.queuedEvents} events were not synced`);
times.sort((a, b) => a - b);
console.log(JSON.stringify({ ns: Math.round(times[times.length >> 1]), events: BLOCK * BLOCKS }));
