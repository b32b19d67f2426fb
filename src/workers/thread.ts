/** Starts a thread with a file of ours, in `dist` as in the sources. */
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { Worker, type WorkerOptions } from 'node:worker_threads'

/** `entry` is the file's URL with the ending that it has beside its importer, `.js` or `.ts`. */
export function openThread(entry: URL, options: WorkerOptions): Worker {
  return isSource(entry) ? new Worker(loading(entry), { ...options, eval: true }) : new Worker(entry, options)
}

/** The same for a thread that loads files of users and nothing else of ours. */
export function openForeignThread(entry: URL, options: WorkerOptions): Worker {
  return isSource(entry) ? new Worker(bundled(entry), { ...options, eval: true }) : new Worker(entry, options)
}

function isSource(entry: URL): boolean {
  return entry.pathname.endsWith('.ts')
}

/** Threads do not take over the loader of TypeScript from the process that runs the tests. */
function loading(entry: URL): string {
  const loader = createRequire(import.meta.url)
    .resolve('tsx/esm/api')
    .replace(/\.cjs$/, '.mjs')
  return `import(${JSON.stringify(loader)}).then(({ register }) => { register(); return import(${JSON.stringify(entry.href)}) })`
}

const bundles = new Map<string, string>()

/**
 * One text in JavaScript. A loader of TypeScript in the thread would be one for the user's files as well, which then load
 * in another way than with Node alone, and the thread would take ten times as long to begin.
 */
function bundled(entry: URL): string {
  const known = bundles.get(entry.href)
  if (known !== undefined) return known
  const { buildSync } = createRequire(import.meta.url)('esbuild') as { buildSync: Build }
  const { outputFiles } = buildSync({
    entryPoints: [fileURLToPath(entry)],
    bundle: true,
    write: false,
    platform: 'node',
    packages: 'external',
    define: { 'import.meta.url': JSON.stringify(entry.href) },
  })
  const text = outputFiles[0]?.text ?? ''
  bundles.set(entry.href, text)
  return text
}

type Build = (options: object) => { readonly outputFiles: readonly { readonly text: string }[] }

/** The URL of a file beside the importing one, whose URL is given, with that one's ending. */
export function besideFile(importer: string, name: string): URL {
  return new URL(`./${name}${importer.endsWith('.ts') ? '.ts' : '.js'}`, importer)
}
