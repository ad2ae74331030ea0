import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

// `npm run dev` shows the console against an edge that runs already.
const edge = process.env.CAIRN_ADMIN ?? "http://127.0.0.1:7071";

export default defineConfig({
  base: "/console/",
  plugins: [react()],
  server: { proxy: { "/v1": edge } },
  build: {
    target: "es2020",
    assetsInlineLimit: 0, // everything is a file: the edge's content policy allows no inline script
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 1500,
    rollupOptions: {
      output: {
        manualChunks: (id) =>
          /node_modules\/(echarts|zrender)\//.test(id)
            ? "charts"
            : id.includes("node_modules")
              ? "vendor"
              : undefined,
      },
    },
  },
});
