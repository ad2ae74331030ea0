/** Compiles cairn.wasm: streaming where the server names its type, from the bytes where not. */
import type { InitOptions } from './types.js';

export async function loadModule(options: InitOptions): Promise<WebAssembly.Module> {
  if (options.wasmBytes) return WebAssembly.compile(options.wasmBytes);
  // written out literally, so that bundlers see the asset and rewrite its address
  const url = options.wasmUrl ?? new URL('./cairn.wasm', import.meta.url);
  if (typeof WebAssembly.compileStreaming === 'function') {
    try {
      return await WebAssembly.compileStreaming(fetch(url));
    } catch {
      // another type than application/wasm, or no streaming here: the bytes themselves may do
    }
  }
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${String(url)} answered ${response.status}`);
  return WebAssembly.compile(await response.arrayBuffer());
}
