/** cairn-sdk/full: what the full flavour has beside the client. */
export { SqlHistory, type HistoryStatus } from './history.js';
export { SqlError, type Row, type SqlAnswer } from './engine.js';
export { ScriptRunner, type ScriptAnswer, type ScriptRunnerOptions } from '../script/runner.js';
export type { ScriptJob, ScriptReason, ScriptUse } from '../script/engine.js';
