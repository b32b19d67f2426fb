/**
 * Builds the page into dist/src/web, or into the folder that is named: one script, one style sheet, index.html and the
 * icon; and the licences of the libraries that are in the script, which must go with every copy of it.
 */
import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { build } from 'esbuild'
import { licencesOf } from '../../deploy/package/licences.mjs'

const source = import.meta.dirname
const root = join(source, '../..')
const [target = join(source, '../../dist/src/web')] = process.argv.slice(2)

mkdirSync(target, { recursive: true })
const { metafile } = await build({
  entryPoints: { app: join(source, 'main.tsx') },
  outdir: target,
  bundle: true,
  minify: true,
  format: 'esm',
  target: 'es2022',
  jsx: 'automatic',
  jsxImportSource: 'preact',
  absWorkingDir: root,
  preserveSymlinks: true,
  legalComments: 'eof',
  logLevel: 'warning',
  metafile: true,
})
await build({
  entryPoints: { app: join(source, 'style.css') },
  outdir: target,
  bundle: true,
  minify: true,
  logLevel: 'warning',
})
for (const file of ['index.html', 'icon.svg']) copyFileSync(join(source, file), join(target, file))

writeFileSync(join(target, 'licences.txt'), licencesOf(root, Object.keys(metafile.inputs)))
