/** What a flavour of the package does in its own way; here the slim one. The full one: full/. */
import type { Answered, Ask } from './asks.js';
import type { Core, CoreOptions } from './core.js';
import type { DecisionsHost } from './decisions.js';
import { loadModule } from './load.js';
import type { InitOptions } from './types.js';

const LOAD_RETRY_MS = 2000;
const LOAD_RETRY_MS_MAX = 60_000;

export class Flavour {
  /** What its core is opened with beside. */
  readonly core: Pick<CoreOptions, 'flags' | 'imports'> = {};
  /** The client. */
  host!: DecisionsHost;

  private module: Promise<WebAssembly.Module> | null = null;

  constructor(protected readonly options: InitOptions) {}

  protected load(): Promise<WebAssembly.Module> {
    return loadModule(this.options);
  }

  /** The module, asked for again until it is there: a page may start without a network. */
  async loaded(current: () => boolean): Promise<WebAssembly.Module | null> {
    for (let waitMs = LOAD_RETRY_MS; current(); waitMs = Math.min(waitMs * 2, LOAD_RETRY_MS_MAX)) {
      try {
        return await (this.module ??= this.load());
      } catch (error) {
        this.module = null;
        this.host.problem(
          'core_not_loaded',
          `cairn.wasm did not load (${String(error)}): serve it, set wasmUrl, and allow ` +
            `'wasm-unsafe-eval' in script-src. Calls are kept meanwhile.`,
        );
        await new Promise<void>((resolve) => this.host.clock.setTimeout(resolve, waitMs));
      }
    }
    return null;
  }

  /** In the tab that sends, after each pump. */
  pumped(_core: Core): void {}

  /** This tab has no core any more. */
  left(): void {}

  /** Remove what is kept of the person beside the core's store. Never rejects. */
  async forget(): Promise<void> {}

  answer(core: Core, ask: Ask): Answered {
    return core.ask(ask);
  }

  /** A message of this flavour in another tab. */
  heard(_more: unknown): void {}
}
