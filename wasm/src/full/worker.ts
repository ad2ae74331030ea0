/** The dedicated worker of the full flavour: the local history in SQL on OPFS. It answers in the
 * order in which it was asked. */
import { SqlEngine, SqlError, type Row, type SqlAnswer } from './engine.js';
import { MemoryFile, OpfsFile, type SyncFile } from './files.js';

export type ToWorker =
  | { type: 'open'; id: number; module: WebAssembly.Module; name: string; options: OpenOptions }
  | { type: 'note'; id: number; rows: Row[] }
  | { type: 'ask'; id: number; text: string }
  | { type: 'purge'; id: number };

export interface OpenOptions {
  eventsMax: number;
  daysMax: number;
}

export type FromWorker =
  | { id: number; opened: { newest: number; storage: 'opfs' | 'memory'; reason: string } }
  | { id: number; newest: number }
  | { id: number; answer: SqlAnswer }
  | { id: number; error: { code: string; message: string } };

let engine: SqlEngine | null = null;

async function openFiles(
  name: string,
): Promise<{ files: [SyncFile, SyncFile]; storage: 'opfs' | 'memory'; reason: string }> {
  const opened: SyncFile[] = [];
  try {
    for (const suffix of ['.db', '.db-journal']) {
      opened.push(await OpfsFile.open(name + suffix));
    }
    return { files: opened as [SyncFile, SyncFile], storage: 'opfs', reason: '' };
  } catch (error) {
    for (const file of opened) file.close();
    const files: [SyncFile, SyncFile] = [new MemoryFile(), new MemoryFile()];
    return { files, storage: 'memory', reason: String(error) };
  }
}

async function open(message: ToWorker & { type: 'open' }): Promise<FromWorker> {
  const { files, storage, reason } = await openFiles(message.name);
  engine = await SqlEngine.open(message.module, files, {
    ...message.options,
    nowMs: () => Date.now(),
  });
  return { id: message.id, opened: { newest: engine.newest(), storage, reason } };
}

async function answer(message: ToWorker): Promise<FromWorker> {
  if (message.type === 'open') return open(message);
  if (!engine) throw new SqlError('unavailable', 'the local history is not open');
  if (message.type === 'ask') return { id: message.id, answer: engine.ask(message.text) };
  if (message.type === 'purge') engine.purge();
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
