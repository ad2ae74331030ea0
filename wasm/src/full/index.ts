/** cairn-sdk/full: the client with what the full flavour has beside. */
import { offClient } from '../off.js';
import { FullClient } from './client.js';
import { SqlError } from './engine.js';
import type { FullCairn, FullOptions } from './types.js';

const hasBrowser = (): boolean =>
  typeof document !== 'undefined' || typeof indexedDB !== 'undefined';

/** As init() of cairn-sdk, with sql() and with ranking scripts that run. cairn-full.wasm is loaded
 * instead of cairn.wasm, once for the page and its worker; cairn-script.wasm when a script is first
 * wanted. */
export function init(options: FullOptions): FullCairn {
  if (!hasBrowser() && !options.wasmBytes) {
    return {
      ...offClient(),
      sql: () => Promise.reject(new SqlError('unavailable', 'there is no browser here')),
      sqlStatus: () => null,
    };
  }
  const client = FullClient.make(options);
  client.start();
  return client;
}

export type { FullCairn, FullOptions } from './types.js';
export type * from '../types.js';
export type * from '../decide_types.js';
export { SqlHistory, type HistoryStatus } from './history.js';
export { SqlError, type Row, type SqlAnswer } from './engine.js';
export { ScriptRunner, type ScriptAnswer, type ScriptRunnerOptions } from '../script/runner.js';
export type { ScriptJob, ScriptReason, ScriptUse } from '../script/engine.js';
