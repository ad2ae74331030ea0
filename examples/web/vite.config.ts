import { defineConfig } from 'vite';

/** `npm run dev` passes data on to an edge on this machine; the built shop is served by the
 * edge. */
export default defineConfig({
  base: './',
  build: { outDir: 'dist', target: 'es2022', assetsInlineLimit: 0 },
  server: { proxy: { '/v1': process.env.CAIRN_EDGE ?? 'http://127.0.0.1:8080' } },
});
