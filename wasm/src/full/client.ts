/** The full flavour: the client with its history in SQL, and ranking scripts that run. */
import { NOT_FOUND, OK, type Answered, type Ask } from '../asks.js';
import { Client } from '../client.js';
import type { Core } from '../core.js';
import type { Slot } from '../decide_types.js';
import { Flavour } from '../flavour.js';
import { loadModule } from '../load.js';
import type { ScriptJob, ScriptReason } from '../script/engine.js';
import { ScriptRunner } from '../script/runner.js';
import type { Properties } from '../types.js';
import { rank } from './core.js';
import type { SqlAnswer } from './engine.js';
import type { HistoryStatus } from './history.js';
import { SqlTable, type SqlMessage } from './sql.js';
import type { FullCairn, FullOptions } from './types.js';

const EVENTS_MAX = 100_000;
/** As OPTION_HISTORY in wasm/entry.c. */
const OPTION_HISTORY = 8;

/** The core's instance has no files: the table is the worker's. */
const NO_FILES = Object.fromEntries(
  ['read', 'write', 'truncate', 'flush', 'size'].map((what) => [`file_${what}`, () => -1]),
);

class FullFlavour extends Flavour {
  override readonly core = { flags: OPTION_HISTORY, imports: NO_FILES };
  readonly table: SqlTable;

  constructor(private readonly full: FullOptions) {
    super(full);
    // written out literally, so that bundlers see the worker and rewrite its address
    const workerUrl = full.workerUrl ?? new URL('./full-worker.js', import.meta.url);
    const eventsMax = full.sql?.eventsMax ?? EVENTS_MAX;
    const daysMax = full.sql?.daysMax ?? 0;
    const name = `cairn-${encodeURIComponent(full.writeKey)}`;
    const module = async (): Promise<WebAssembly.Module> => {
      const loaded = await this.loaded(() => true);
      if (!loaded) throw new Error('the module is not there');
      return loaded;
    };
    this.table = new SqlTable({ name, workerUrl, eventsMax, daysMax }, module, () => this.host);
  }

  protected override load(): Promise<WebAssembly.Module> {
    const wasmUrl = this.full.wasmUrl ?? new URL('./cairn-full.wasm', import.meta.url);
    return loadModule({ ...this.full, wasmUrl });
  }

  override pumped(): void {
    this.table.pumped();
  }

  override left(): void {
    this.table.leave();
  }

  override forget(): Promise<void> {
    return this.table.forget();
  }

  override answer(core: Core, ask: Ask): Answered {
    return rank(core, ask) ?? super.answer(core, ask);
  }

  override heard(more: unknown): void {
    this.table.heard(more as SqlMessage);
  }
}

/** As the core writes it: wasm/full/core_entry.c. */
interface Wanted {
  name: string;
  source: string;
  input: string;
  now: number;
  seed: number;
}

export class FullClient extends Client implements FullCairn {
  private runner: ScriptRunner | null = null;

  static make(options: FullOptions): FullClient {
    return new FullClient(options, new FullFlavour(options));
  }

  private constructor(
    private readonly full: FullOptions,
    private readonly own: FullFlavour,
  ) {
    super(full, own);
  }

  sql(question: string): Promise<SqlAnswer> {
    return this.own.table.ask(String(question));
  }

  sqlStatus(): HistoryStatus | null {
    return this.own.table.where();
  }

  /** The slot's script runs in this tab, for at most 100 ms; if it is lost, the default order and
   * the reason. */
  override async slot(name: string): Promise<Slot> {
    const slot = await super.slot(name);
    if (slot.why.wants_script === undefined) return slot;
    const answered = await this.decisions.ask('rankWanted', String(name));
    if (answered.status === NOT_FOUND) return super.slot(name); // it wants none any more
    const ranked =
      answered.status === OK
        ? await this.runScript(name, JSON.parse(answered.json) as Wanted)
        : await this.lost(name, slot.why.wants_script, TOO_LARGE[answered.status]);
    return ranked.status === OK ? this.decisions.slotOf(name, ranked) : slot;
  }

  private async runScript(slot: string, wanted: Wanted): Promise<Answered> {
    const { name, source, input, now, seed } = wanted;
    const job: ScriptJob = { use: 'rank', source, input, nowMs: now, seed };
    this.runner ??= new ScriptRunner(this.full.scripts);
    const answer = await this.runner.run(job);
    if ('useDefault' in answer) return this.lost(slot, name, answer.reason);
    const items = (JSON.parse(input) as { items: { id: string }[] }).items;
    const scores = answer.result as number[];
    const properties: Properties = Object.fromEntries(
      items.map(({ id }, at) => [id, scores[at] ?? 0]),
    );
    return this.decisions.ask('rankScores', slot, { value: name, properties });
  }

  private lost(slot: string, script: string, reason: ScriptReason = 'script_unavailable') {
    return this.decisions.ask('rankLost', slot, { value: script, properties: { reason } });
  }

  override async shutdown(): Promise<void> {
    this.runner?.close();
    await super.shutdown();
  }
}

/** As cairn_slot_script_wanted says. */
const TOO_LARGE: Readonly<Record<number, ScriptReason>> = { 2: 'script_memory', 3: 'script_error' };
