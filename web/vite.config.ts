import { defineConfig } from "vite";

// Where `npm run dev` finds a gateway: INKWELD_GATEWAY, or the one `make run` starts.
const gateway = process.env["INKWELD_GATEWAY"] ?? "http://127.0.0.1:8080";

export default defineConfig({
  build: {
    target: "es2022",
    // Small files would become data: URLs, which the content security policy does not let us fetch.
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 1000,
    license: { fileName: "licenses.md" },
  },
  server: { host: "127.0.0.1", proxy: { "/v1": { target: gateway, changeOrigin: false } } },
});
