/** What the node tests drive without a browser; not part of the package. */
export { blockBytesMax, writeBlock } from './block.js';
export { Core, type CoreHost } from './core.js';
export { MemoryStore } from './store.js';
export { Client } from './client.js';
export { FullClient } from './full/client.js';
export { SqlEngine } from './full/engine.js';
export { MemoryFile } from './full/files.js';
