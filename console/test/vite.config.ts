import { defineConfig } from "vite";

// The unit tests, bundled for node's own test runner. Outside dist: it is not served.
export default defineConfig({
  publicDir: false,
  build: {
    ssr: true,
    target: "node18",
    outDir: "../build/console-test",
    emptyOutDir: true,
    rollupOptions: {
      input: "test/console.test.ts",
      output: { entryFileNames: "[name].mjs" },
    },
  },
});
