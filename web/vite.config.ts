// Builds the page into `dist`, which becomes part of the program. `npm run dev` serves it
// from source and passes everything else on to a running server (SKYHAUL_SERVER).

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";

import preact from "@preact/preset-vite";
import { defineConfig, type Plugin } from "vite";

const server = process.env.SKYHAUL_SERVER ?? "http://127.0.0.1:8080";
const WORTH_COMPRESSING = /\.(html|js|mjs|css|svg|json)$/;

/** Puts a compressed form beside each file, so that the program need not compress anything. */
function compressed(): Plugin {
  return {
    name: "compressed",
    apply: "build",
    // Once the files are as they will be.
    writeBundle({ dir }, bundle) {
      for (const { fileName } of Object.values(bundle)) {
        if (!dir || !WORTH_COMPRESSING.test(fileName)) continue;
        const path = join(dir, fileName);
        writeFileSync(`${path}.gz`, gzipSync(readFileSync(path), { level: 9 }));
      }
    },
  };
}

export default defineConfig({
  plugins: [preact({ devToolsEnabled: false, prefreshEnabled: false }), compressed()],
  // The client package from its source: what is changed there shows here at once.
  resolve: { conditions: ["source", "module", "browser", "development|production"] },
  build: {
    target: "es2022",
    // The folder itself stays: cargo watches it.
    emptyOutDir: false,
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 2500,
    rolldownOptions: {
      output: {
        // What changes seldom is cached apart from what changes often.
        codeSplitting: {
          groups: [
            { name: "maplibre", test: /node_modules[\\/](maplibre-gl|@maplibre|@mapbox)[\\/]/ },
            { name: "deck", test: /node_modules[\\/](@deck\.gl|@luma\.gl|@math\.gl|@loaders\.gl|@probe\.gl)[\\/]/ },
          ],
        },
      },
    },
  },
  server: {
    proxy: {
      "/api": server,
      "/ws": { target: server.replace(/^http/, "ws"), ws: true, rewriteWsOrigin: true },
      "/basemap.pmtiles": server,
      "/docs": server,
      "/openapi.json": server,
      "/asyncapi.json": server,
      "/metrics": server,
    },
  },
});
