/** What an outsider sees of cairn-sdk/full beside cairn-sdk. */
import type { ScriptRunnerOptions } from '../script/runner.js';
import type { Cairn, InitOptions } from '../types.js';
import type { SqlAnswer } from './engine.js';
import type { HistoryStatus } from './history.js';

export interface FullOptions extends InitOptions {
  flavour: 'full';
  /** The table of this device's events; the oldest rows beyond these limits go. Defaults: 100,000
   * events, of any age (0). */
  sql?: { eventsMax?: number; daysMax?: number };
  /** Where full-worker.js is; by default beside the package. */
  workerUrl?: string | URL;
  scripts?: ScriptRunnerOptions;
}

export interface FullCairn extends Cairn {
  /** Ask this device's own events (docs of the table: README.md, "SQL"), in any tab; what was
   * tracked in this tab before is in the answer. Rejects with a SqlError. */
  sql(question: string): Promise<SqlAnswer>;
  /** Where the rows are kept; null in a tab that does not keep them. */
  sqlStatus(): HistoryStatus | null;
}
