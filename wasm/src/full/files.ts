/** The two files of the local history in SQL, as the engine's imports want them: at once, or not. */

/** The database and its journal. */
export const SUFFIXES = ['.db', '.db-journal'] as const;

export interface SyncFile {
  /** Bytes read into `to` from this offset; fewer at the end of the file. */
  read(to: Uint8Array<ArrayBuffer>, at: number): number;
  write(from: Uint8Array<ArrayBuffer>, at: number): void;
  truncate(bytes: number): void;
  /** Returns when what was written survives the process. */
  flush(): void;
  size(): number;
  close(): void;
}

/** Nothing outlives the worker: private windows, browsers without OPFS, tests. */
export class MemoryFile implements SyncFile {
  private bytes = new Uint8Array(0);
  private used = 0;

  read(to: Uint8Array, at: number): number {
    const part = this.bytes.subarray(Math.min(at, this.used), Math.min(at + to.length, this.used));
    to.set(part);
    return part.length;
  }

  write(from: Uint8Array, at: number): void {
    const end = at + from.length;
    if (end > this.bytes.length) {
      const grown = new Uint8Array(Math.max(end, 2 * this.bytes.length, 64 * 1024));
      grown.set(this.bytes.subarray(0, this.used));
      this.bytes = grown;
    }
    if (at > this.used) this.bytes.fill(0, this.used, at);
    this.bytes.set(from, at);
    this.used = Math.max(this.used, end);
  }

  truncate(bytes: number): void {
    if (bytes < this.used) this.bytes.fill(0, bytes, this.used);
    this.used = Math.min(this.used, bytes);
  }

  flush(): void {}

  size(): number {
    return this.used;
  }

  close(): void {}
}

interface AccessHandle {
  read(to: Uint8Array<ArrayBuffer>, options: { at: number }): number;
  write(from: Uint8Array<ArrayBuffer>, options: { at: number }): number;
  truncate(bytes: number): void;
  flush(): void;
  getSize(): number;
  close(): void;
}

/** A file of the origin private file system; a dedicated worker alone may have such a handle, and
 * one at a time: whoever holds the tabs' lock. */
export class OpfsFile implements SyncFile {
  private constructor(private readonly handle: AccessHandle) {}

  /** Remove it, whoever closed it last. */
  static async remove(name: string): Promise<void> {
    const root = await navigator.storage.getDirectory();
    await root.removeEntry(name);
  }

  static async open(name: string): Promise<OpfsFile> {
    const root = await navigator.storage.getDirectory();
    const file = (await root.getFileHandle(name, { create: true })) as unknown as {
      createSyncAccessHandle(): Promise<AccessHandle>;
    };
    return new OpfsFile(await file.createSyncAccessHandle());
  }

  read(to: Uint8Array<ArrayBuffer>, at: number): number {
    return this.handle.read(to, { at });
  }

  write(from: Uint8Array<ArrayBuffer>, at: number): void {
    if (this.handle.write(from, { at }) !== from.length) throw new Error('the disk is full');
  }

  truncate(bytes: number): void {
    this.handle.truncate(bytes);
  }

  flush(): void {
    this.handle.flush();
  }

  size(): number {
    return this.handle.getSize();
  }

  close(): void {
    this.handle.close();
  }
}
