import { fileURLToPath } from "node:url";
import tailwindcss from "@tailwindcss/vite";
import react from "@vitejs/plugin-react";
import { defineConfig, type Plugin } from "vite";

/** The server that `npm run dev` leads API requests to. */
const server = process.env.BELLWIRE_URL ?? "http://127.0.0.1:8080";

/** Serves the pages as the server does: any path below /console is console.html, with the base that it would write. */
function pages(): Plugin {
  return {
    name: "bellwire-pages",
    apply: "serve",
    configureServer(dev) {
      dev.middlewares.use((request, _response, next) => {
        const page = /^\/(console|portal)(?=[/?#]|$)/.exec(request.url ?? "");
        if (page) request.url = `/${page[1]}.html`;
        next();
      });
    },
    transformIndexHtml: (html, { path }) =>
      html.replace('<base href="/" />', `<base href="${path.replace(".html", "/")}" />`),
  };
}

export default defineConfig({
  base: "./",
  plugins: [react(), tailwindcss(), pages()],
  resolve: { alias: { "@": fileURLToPath(new URL("src", import.meta.url)) } },
  build: {
    target: ["chrome123", "firefox128", "safari17.5"],
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 600,
    rolldownOptions: {
      input: { console: "console.html", portal: "portal.html" },
    },
  },
  server: { proxy: { "/api": { target: server, changeOrigin: true }, "/openapi.json": server } },
});
