/** What cairn-full.wasm's core has beside that of cairn.wasm: wasm/full/core_entry.c. */
import type { Answered, Ask } from '../asks.js';
import type { Core } from '../core.js';
import type { Row } from './engine.js';

interface FullExports {
  memory: WebAssembly.Memory;
  history_next(afterSeq: number): number;
  rank(method: number, block: number, bytes: number): number;
}

/** As enum rank_method in wasm/full/core_entry.c. */
const RANKS: Readonly<Partial<Record<Ask['method'], number>>> = {
  rankWanted: 0,
  rankScores: 1,
  rankLost: 2,
};

/** As struct history_row there. */
const HISTORY_PERSON_AT = 8;
const HISTORY_EVENT_AT = 16;
const HISTORY_BYTES_AT = 20;

/** The first kept event after this seq, or null. */
export function nextRow(core: Core, afterSeq: number): Row | null {
  const wasm = core.exports as unknown as FullExports;
  const at = wasm.history_next(afterSeq);
  if (at === 0) return null;
  const view = new DataView(wasm.memory.buffer, at);
  const from = view.getUint32(HISTORY_EVENT_AT, true);
  const bytes = view.getUint32(HISTORY_BYTES_AT, true);
  return {
    seq: view.getFloat64(0, true),
    person: view.getFloat64(HISTORY_PERSON_AT, true),
    event: new Uint8Array(wasm.memory.buffer, from, bytes).slice(),
  };
}

/** A question about ranking scripts; null: it is another one. */
export function rank(core: Core, ask: Ask): Answered | null {
  const method = RANKS[ask.method];
  if (method === undefined) return null;
  const wasm = core.exports as unknown as FullExports;
  return core.answer(ask, (at, bytes) => wasm.rank(method, at, bytes));
}
