/** Builds the page into dist/src/web: one script, one style sheet, index.html and the icon. */
import { copyFileSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { build } from 'esbuild'

const source = import.meta.dirname
const target = join(source, '../../dist/src/web')

mkdirSync(target, { recursive: true })
await build({
  entryPoints: { app: join(source, 'main.tsx') },
  outdir: target,
  bundle: true,
  minify: true,
  format: 'esm',
  target: 'es2022',
  jsx: 'automatic',
  jsxImportSource: 'preact',
  legalComments: 'eof',
  logLevel: 'warning',
})
await build({
  entryPoints: { app: join(source, 'style.css') },
  outdir: target,
  bundle: true,
  minify: true,
  logLevel: 'warning',
})
for (const file of ['index.html', 'icon.svg']) copyFileSync(join(source, file), join(target, file))
