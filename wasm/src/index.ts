/** cairn-sdk: see README.md. Importing it does nothing; init() does. */
import { Client } from './client.js';
import { offClient } from './off.js';
import type { Cairn, InitOptions } from './types.js';

export type * from './decide_types.js';
export type * from './types.js';

const hasBrowser = (): boolean =>
  typeof document !== 'undefined' || typeof indexedDB !== 'undefined';

/** Begin. Calls may follow at once: they are kept until the core is ready. Never throws; without a
 * browser (server-side rendering) and without wasmBytes the client does nothing. */
export function init(options: InitOptions): Cairn {
  if (!hasBrowser() && !options.wasmBytes) return offClient();
  const client = new Client(options);
  client.start();
  return client;
}
