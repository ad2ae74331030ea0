/** Who wants to know what. A listener that throws hurts nobody else. */
import type { Notes } from './types.js';

type Listener = (value: never) => void;

export class Listeners {
  private readonly byNote = new Map<keyof Notes, Set<Listener>>();

  add<K extends keyof Notes>(note: K, listener: (value: Notes[K]) => void): () => void {
    let set = this.byNote.get(note);
    if (!set) this.byNote.set(note, (set = new Set()));
    set.add(listener as Listener);
    return () => set.delete(listener as Listener);
  }

  has(note: keyof Notes): boolean {
    return (this.byNote.get(note)?.size ?? 0) > 0;
  }

  say<K extends keyof Notes>(note: K, value: Notes[K]): void {
    for (const listener of [...(this.byNote.get(note) ?? [])]) {
      try {
        (listener as (value: Notes[K]) => void)(value);
      } catch (error) {
        console.error('a listener of cairn threw:', error);
      }
    }
  }
}
