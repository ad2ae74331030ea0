/** cairn-script.wasm: one engine that runs one script at a time. Runs in the worker, and in tests. The
 * exports are wasm/script/entry.c. */

/** As cairn__script_use. */
export type ScriptUse = 'any' | 'score' | 'tag' | 'rank';
const USES: readonly ScriptUse[] = ['any', 'score', 'tag', 'rank'];

/** Why there is a default instead of a result: docs/SCRIPTS.md. */
export type ScriptReason =
  | 'script_unavailable'
  | 'script_timeout'
  | 'script_memory'
  | 'script_error'
  | 'script_busy'
  | 'script_result';

/** As cairn__script_outcome; 0 is a result. */
const REASONS: readonly (ScriptReason | null)[] = [
  null,
  'script_unavailable',
  'script_timeout',
  'script_memory',
  'script_error',
  'script_busy',
  'script_result',
];

export interface ScriptJob {
  use: ScriptUse;
  /** ES5.1 that defines main(input). */
  source: string;
  /** JSON. */
  input: string;
  /** What Date.now() says. */
  nowMs: number;
  /** Of Math.random(), an unsigned 32-bit number. */
  seed: number;
}

/** With a reason the text is a sentence for the script's author, otherwise the result as JSON. */
export interface ScriptEnd {
  reason: ScriptReason | null;
  text: string;
}

interface Exports {
  memory: WebAssembly.Memory;
  _initialize?: () => void;
  cairn_script_memory(bytes: number): number;
  cairn_script_free(at: number): void;
  cairn_script_open(): number;
  cairn_script_given(session: number, nowMs: number, seed: number): void;
  cairn_script_run(session: number, use: number, at: number, source: number, input: number): number;
  cairn_script_text(session: number): number;
  cairn_script_text_bytes(session: number): number;
}

const utf8 = new TextEncoder();
const decoder = new TextDecoder();

export class ScriptEngine {
  private constructor(
    private readonly exports: Exports,
    private readonly session: number,
  ) {}

  static async open(module: WebAssembly.Module): Promise<ScriptEngine> {
    const stop = (): never => {
      throw new Error('the engine stopped');
    };
    let high = 0; // the upper half of 64-bit results: emscripten passes it through the host
    const instance = await WebAssembly.instantiate(module, {
      env: {
        getTempRet0: () => high,
        setTempRet0: (value: number) => {
          high = value;
        },
      },
      wasi_snapshot_preview1: { proc_exit: stop },
    });
    const exports = instance.exports as unknown as Exports;
    exports._initialize?.();
    const session = exports.cairn_script_open();
    if (session === 0) throw new Error('no memory for the engine');
    return new ScriptEngine(exports, session);
  }

  run(job: ScriptJob): ScriptEnd {
    const source = utf8.encode(job.source);
    const input = utf8.encode(job.input);
    const at = this.exports.cairn_script_memory(source.length + input.length);
    if (at === 0) return { reason: 'script_memory', text: 'source and input do not fit' };
    const bytes = new Uint8Array(this.exports.memory.buffer);
    bytes.set(source, at);
    bytes.set(input, at + source.length);
    this.exports.cairn_script_given(this.session, job.nowMs, job.seed >>> 0);
    const use = USES.indexOf(job.use);
    const outcome = this.exports.cairn_script_run(this.session, use, at, source.length, input.length);
    this.exports.cairn_script_free(at);
    const begin = this.exports.cairn_script_text(this.session);
    const text = bytes.slice(begin, begin + this.exports.cairn_script_text_bytes(this.session));
    return { reason: REASONS[outcome] ?? null, text: decoder.decode(text) };
  }
}
