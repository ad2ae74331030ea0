/** The dedicated worker of the full flavour: the local history in SQL on OPFS. It answers in the
 * order in which it was asked. */
import { SqlEngine, SqlError, type Row, type SqlAnswer } from './engine.js';
import { MemoryFile, OpfsFile, SUFFIXES, type SyncFile } from './files.js';

export type ToWorker =
  | { type: 'open'; id: number; module: WebAssembly.Module; name: string; options: OpenOptions }
  | { type: 'note'; id: number; rows: Row[] }
  | { type: 'ask'; id: number; text: string }
  | { type: 'own'; id: number; device: string }
  /** Remove the files: this worker is of no use after it. */
  | { type: 'remove'; id: number };

export interface OpenOptions {
  eventsMax: number;
  daysMax: number;
}

export type FromWorker =
  | { id: number; opened: { newest: number; storage: 'opfs' | 'memory'; reason: string } }
  | { id: number; newest: number }
  | { id: number; answer: SqlAnswer }
  | { id: number; error: { code: string; message: string } };

/** The worker of a page that was left may hold the files for a moment yet. */
const TRIES = 10;
const TRY_WAIT_MS = 200;

let engine: SqlEngine | null = null;
let opened: { name: string; files: readonly SyncFile[]; storage: 'opfs' | 'memory' } | null = null;

type Files = [SyncFile, SyncFile];

async function openOpfs(name: string): Promise<Files> {
  const files: SyncFile[] = [];
  try {
    for (const suffix of SUFFIXES) files.push(await OpfsFile.open(name + suffix));
    return files as Files;
  } catch (error) {
    for (const file of files) file.close();
    throw error;
  }
}

const isHeld = (error: unknown): boolean =>
  (error as DOMException | null)?.name === 'NoModificationAllowedError';

async function openPatiently(name: string): Promise<Files> {
  for (let left = TRIES; ; left--) {
    try {
      return await openOpfs(name);
    } catch (error) {
      if (!isHeld(error) || left <= 1) throw error;
      await new Promise((resolve) => setTimeout(resolve, TRY_WAIT_MS));
    }
  }
}

async function open(message: ToWorker & { type: 'open' }): Promise<FromWorker> {
  let storage: 'opfs' | 'memory' = 'opfs';
  let reason = '';
  const files = await openPatiently(message.name).catch((error: unknown): Files => {
    storage = 'memory';
    reason = String(error);
    return [new MemoryFile(), new MemoryFile()];
  });
  opened = { name: message.name, files, storage };
  engine = await SqlEngine.open(message.module, files, {
    ...message.options,
    nowMs: () => Date.now(),
  });
  return { id: message.id, opened: { newest: engine.newest(), storage, reason } };
}

/** Nothing of it is left, even where the file itself cannot be removed. */
async function remove(): Promise<void> {
  engine = null;
  for (const file of opened?.files ?? []) {
    file.truncate(0);
    file.flush();
    file.close();
  }
  if (opened?.storage !== 'opfs') return;
  for (const suffix of SUFFIXES) await OpfsFile.remove(opened.name + suffix).catch(() => undefined);
}

async function answer(message: ToWorker): Promise<FromWorker> {
  if (message.type === 'open') return open(message);
  if (message.type === 'remove') {
    await remove();
    return { id: message.id, newest: 0 };
  }
  if (!engine) throw new SqlError('unavailable', 'the local history is not open');
  if (message.type === 'ask') return { id: message.id, answer: engine.ask(message.text) };
  if (message.type === 'own') engine.own(message.device);
  else engine.note(message.rows);
  return { id: message.id, newest: engine.newest() };
}

const failed = (id: number, error: unknown): FromWorker => ({
  id,
  error:
    error instanceof SqlError
      ? { code: error.code, message: error.message }
      : { code: 'storage', message: String(error) },
});

let turn: Promise<void> = Promise.resolve();

addEventListener('message', (event: MessageEvent<ToWorker>) => {
  const message = event.data;
  turn = turn
    .then(() => answer(message))
    .catch((error: unknown) => failed(message.id, error))
    .then((reply) => postMessage(reply));
});
