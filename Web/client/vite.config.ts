import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { defineConfig } from 'vite';

const packages = resolve(import.meta.dirname, 'node_modules');

/** One entry per page: a page loads only its own code. The site's stylesheet is on every page, also on those without scripts. */
const sources = {
  site: 'styles/site.css',
  viewer: 'viewer/main.ts',
  studies: 'studies/main.ts',
  volumes: 'volumes/main.ts',
  compare: 'volumes/compare.ts',
  slides: 'slides/main.ts',
  pictures: 'pictures/main.ts',
  models: 'models/main.ts',
  cache: 'cache/main.ts',
  origins: 'origins/main.ts',
};
const entries = Object.fromEntries(
  Object.entries(sources)
    .map(([name, source]) => [name, resolve(import.meta.dirname, 'src', source)] as const)
    .filter(([, path]) => existsSync(path)),
);

/**
 * Cornerstone's text boxes set a style attribute, which the page's content security policy refuses; the same by CSSOM is
 * allowed. Fails the build when a new version writes it otherwise.
 */
const noStyleAttributes = {
  name: 'no-style-attributes',
  transform(code: string, id: string) {
    if (!/drawingSvg\/drawTextBox\.js$/.test(id)) {
      return undefined;
    }
    const attribute = "textElement.setAttribute('style', combinedStyle)";
    if (!code.includes(attribute)) {
      throw new Error(`${id} sets its style in another way now: see ${import.meta.filename}`);
    }
    return { code: code.replace(attribute, 'textElement.style.cssText = combinedStyle'), map: null };
  },
};

export default defineConfig({
  plugins: [noStyleAttributes],
  root: import.meta.dirname,
  base: '/dist/',
  publicDir: false,
  resolve: {
    alias: [
      // A dependency of Cornerstone3D imports node's "events"; without the npm package the page fails at run time.
      { find: /^events$/, replacement: resolve(packages, 'events/events.js') },
      // Emscripten's loaders and a URL polyfill ask for these only under node.
      { find: /^(fs|path|url)$/, replacement: resolve(import.meta.dirname, 'src/absent.ts') },
      // The package's decoders one by one: its own worker brings all of them at once, and comlink.
      {
        find: /^@decoders\//,
        replacement: resolve(packages, '@cornerstonejs/dicom-image-loader/dist/esm/shared/decoders') + '/',
      },
    ],
  },
  worker: { format: 'es', rolldownOptions: { checks: { pluginTimings: false } } },
  build: {
    target: 'es2022',
    outDir: process.env['CLIENT_OUT'] ?? resolve(import.meta.dirname, '../wwwroot/dist'),
    emptyOutDir: true,
    manifest: true,
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 4096,
    reportCompressedSize: false,
    rolldownOptions: { input: entries, checks: { pluginTimings: false } },
  },
  test: { environment: 'node', include: ['tests/**/*.test.ts'] },
} as Parameters<typeof defineConfig>[0]);
