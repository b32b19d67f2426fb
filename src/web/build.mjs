/**
 * Builds the page into dist/src/web, or into the folder that is named: one script, one style sheet, index.html and the
 * icon; and the licences of the libraries that are in the script, which must go with every copy of it.
 */
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { build } from 'esbuild'

const source = import.meta.dirname
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

const bundled = Object.keys(metafile.inputs).map(path => /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1])
const texts = [...new Set(bundled.filter(Boolean))].sort().map(name => {
  const folder = join(source, '../../node_modules', name)
  const { version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
  return `${name} ${version}, ${license}\n\n${readFileSync(join(folder, 'LICENSE'), 'utf8').trim()}\n`
})
writeFileSync(join(target, 'licences.txt'), texts.join(`\n${'-'.repeat(78)}\n`))
