/** The file copyright of the Debian package: the licence of lvsd, and those of everything that is bundled with it. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

export const LICENCE_FILE = /^(?:licen[cs]e|copying|notice)(?:[.-].*)?$/i
/** A package with a part of another one, whose licence it does not repeat. */
const PART_OF = { '@koromix/koffi-linux-x64': 'koffi', '@koromix/koffi-linux-arm64': 'koffi' }
const LINE = '-'.repeat(78)

/**
 * `modules` has the installed packages as npm has unpacked them, `page` is the file of the licences of the page's script,
 * `node` the folder of the package with Node.js.
 */
export function copyrightOf({ root, modules, names, page, node }) {
  const parts = names.map(name => partOf(name, modules))
  return [
    'lvsd is distributed under this licence:\n',
    read(join(root, 'LICENSE')),
    `${LINE}\nBundled in /usr/lib/lvsd/node_modules and /usr/lib/lvsd/dist, each under its own licence:\n`,
    ...parts.map(({ title }) => `  ${title}`),
    '',
    ...parts.map(({ title, text }) => `${LINE}\n${title}\n\n${text}`),
    `${LINE}\nBundled in /usr/lib/lvsd/dist/src/web/app.js:\n`,
    readFileSync(page, 'utf8'),
    `${LINE}\nNode.js ${manifestOf(node).version} (https://nodejs.org/), /usr/lib/lvsd/bin/node\n`,
    read(join(node, 'LICENSE')),
  ].join('\n')
}

/** The licences of the libraries of which esbuild has read files, by the paths of these. */
export function licencesOf(root, inputs) {
  const names = inputs.flatMap(path => /^node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1] ?? [])
  const parts = [...new Set(names)].sort().map(name => partOf(name, join(root, 'node_modules')))
  return parts.map(({ title, text }) => `${title}\n\n${text}`).join(`\n${LINE}\n`)
}

function partOf(place, modules) {
  const { name, version, license, homepage, repository } = manifestOf(join(modules, place))
  const from = homepage ?? repository?.url ?? repository
  const text = licenceOf(join(modules, place)) ?? licenceOf(join(modules, PART_OF[name] ?? name))
  if (!text) throw new Error(`${name} ${version} has no licence text, so it may not be bundled`)
  return { title: `${name} ${version}, ${license}${from ? ` (${from})` : ''}`, text }
}

/** The text of the file with the licence; of some packages it is a section of the README. */
function licenceOf(folder) {
  const files = readdirSync(folder).sort()
  const own = files.filter(name => LICENCE_FILE.test(name)).map(name => read(join(folder, name)))
  if (own.length > 0) return own.join('\n')
  const readme = files.find(name => /^readme/i.test(name))
  return (
    readme &&
    /^#+ *licen[cs]e\s*$([\s\S]*)/im
      .exec(read(join(folder, readme)))?.[1]
      ?.trim()
      .concat('\n')
  )
}

function manifestOf(folder) {
  return JSON.parse(read(join(folder, 'package.json')))
}

function read(path) {
  return existsSync(path) ? readFileSync(path, 'utf8').replaceAll('\r\n', '\n') : ''
}
