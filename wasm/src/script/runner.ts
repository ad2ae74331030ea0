/** Scripts in a browser: in a Worker, one at a time, terminated from outside after 100 ms and
 * replaced. Never on the page's own thread; where there is no Worker every script is unavailable. */
import type { ScriptEnd, ScriptJob, ScriptReason } from './engine.js';
import type { FromScriptWorker, ToScriptWorker } from './worker.js';

const WALL_MS = 100;
const QUEUE_MAX = 32;
const START_MS_MAX = 10_000;

export interface ScriptRunnerOptions {
  /** Where cairn-script.wasm is; by default beside the package. */
  wasmUrl?: string | URL;
  wasmModule?: WebAssembly.Module;
  /** Where script-worker.js is; by default beside the package. */
  workerUrl?: string | URL;
  /** A script's time in the worker; 100 ms. */
  wallMs?: number;
}

/** The result, or that the default is to be used and why. */
export type ScriptAnswer =
  | { result: unknown }
  | { useDefault: true; reason: ScriptReason; text: string };

interface Waiting {
  job: ScriptJob;
  answer: (answer: ScriptAnswer) => void;
}

const instead = (reason: ScriptReason, text: string): ScriptAnswer => ({
  useDefault: true,
  reason,
  text,
});

const answerOf = (end: ScriptEnd): ScriptAnswer =>
  end.reason === null ? { result: JSON.parse(end.text) as unknown } : instead(end.reason, end.text);

export class ScriptRunner {
  private worker: Worker | null = null;
  private module: WebAssembly.Module | null = null;
  private state: 'starting' | 'ready' | 'working' | 'broken' = 'starting';
  private clock: ReturnType<typeof setTimeout> | undefined;
  private current: Waiting | null = null;
  private readonly queue: Waiting[] = [];
  /** Workers that were terminated and replaced. */
  replaced = 0;

  constructor(private readonly options: ScriptRunnerOptions = {}) {
    void this.start();
  }

  /** Never throws and never waits longer than the scripts before it may run. */
  run(job: ScriptJob): Promise<ScriptAnswer> {
    if (this.state === 'broken')
      return Promise.resolve(instead('script_unavailable', 'scripts do not run here'));
    if (this.queue.length >= QUEUE_MAX)
      return Promise.resolve(instead('script_busy', 'too many scripts wait'));
    return new Promise((answer) => {
      this.queue.push({ job, answer });
      this.next();
    });
  }

  /** Ends the worker; what waits is answered as unavailable. */
  close(): void {
    this.breakDown('the runner is closed');
  }

  private async start(): Promise<void> {
    try {
      this.module ??= this.options.wasmModule ?? (await this.compile());
      if (this.state !== 'broken') this.spawn(this.module);
    } catch (error) {
      this.breakDown(String(error));
    }
  }

  private async compile(): Promise<WebAssembly.Module> {
    // written out literally, so that bundlers see the asset and rewrite its address
    const url = this.options.wasmUrl ?? new URL('./cairn-script.wasm', import.meta.url);
    const response = await fetch(url);
    if (!response.ok) throw new Error(`${String(url)} answered ${response.status}`);
    return WebAssembly.compile(await response.arrayBuffer());
  }

  private spawn(module: WebAssembly.Module): void {
    const url = this.options.workerUrl ?? new URL('./script-worker.js', import.meta.url);
    const worker = new Worker(url, { type: 'module' });
    this.state = 'starting';
    this.worker = worker;
    worker.onmessage = ({ data }: MessageEvent<FromScriptWorker>) => {
      if (worker === this.worker) this.hear(data);
    };
    worker.onerror = (event) => {
      if (worker === this.worker) this.breakDown(event.message || 'the worker did not start');
    };
    this.clock = setTimeout(() => this.breakDown('the worker did not start'), START_MS_MAX);
    this.tell({ type: 'open', module });
  }

  private tell(message: ToScriptWorker): void {
    this.worker?.postMessage(message);
  }

  private hear(message: FromScriptWorker): void {
    clearTimeout(this.clock);
    if (message.type === 'failed') {
      this.breakDown(message.text);
      return;
    }
    this.state = 'ready';
    if (message.type === 'done') {
      const done = this.current;
      this.current = null;
      done?.answer(answerOf(message.end));
    }
    this.next();
  }

  private next(): void {
    if (this.state !== 'ready') return;
    const next = this.queue.shift();
    if (!next) return;
    this.state = 'working';
    this.current = next;
    this.clock = setTimeout(() => this.replace(), this.options.wallMs ?? WALL_MS);
    this.tell({ type: 'run', job: next.job });
  }

  /** The script took too long: its worker dies, whatever it was doing. */
  private replace(): void {
    const late = this.current;
    this.current = null;
    this.worker?.terminate();
    this.worker = null;
    this.replaced += 1;
    late?.answer(instead('script_timeout', 'the script took too long and was killed'));
    if (this.module) this.spawn(this.module);
  }

  private breakDown(text: string): void {
    clearTimeout(this.clock);
    this.state = 'broken';
    this.worker?.terminate();
    this.worker = null;
    const left = [...(this.current ? [this.current] : []), ...this.queue.splice(0)];
    this.current = null;
    for (const waiting of left) waiting.answer(instead('script_unavailable', text));
  }
}
