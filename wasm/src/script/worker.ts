/** The worker that runs scripts, and that its page terminates when one takes too long. */
import { ScriptEngine, type ScriptEnd, type ScriptJob } from './engine.js';

export type ToScriptWorker =
  | { type: 'open'; module: WebAssembly.Module }
  | { type: 'run'; job: ScriptJob };
export type FromScriptWorker = { type: 'ready' } | { type: 'failed'; text: string } | ScriptDone;
export interface ScriptDone {
  type: 'done';
  end: ScriptEnd;
}

interface Port {
  onmessage: ((event: { data: ToScriptWorker }) => void) | null;
  postMessage(message: FromScriptWorker): void;
}
const port = globalThis as unknown as Port;
let engine: ScriptEngine | null = null;

async function open(module: WebAssembly.Module): Promise<void> {
  try {
    engine = await ScriptEngine.open(module);
    port.postMessage({ type: 'ready' });
  } catch (error) {
    port.postMessage({ type: 'failed', text: String(error) });
  }
}

function run(job: ScriptJob): ScriptEnd {
  try {
    return engine!.run(job);
  } catch (error) {
    // the engine trapped (a stack too small for it): its memory is not to be trusted any more
    engine = null;
    return { reason: 'script_error', text: String(error) };
  }
}

port.onmessage = ({ data }) => {
  if (data.type === 'open') void open(data.module);
  else if (engine === null) port.postMessage({ type: 'failed', text: 'the engine is gone' });
  else port.postMessage({ type: 'done', end: run(data.job) });
};
