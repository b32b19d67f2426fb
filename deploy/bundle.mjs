/**
 * Bundles src and checks into dist, or into the folder that is named, in two parts:
 *
 * - main.js, and one file with all commands that ask a running lvsd: each file that is loaded costs as much time as many lines
 *   of code.
 * - The program that runs the other commands, the kinds of check, threads, processes, and what users import. Each of these is
 *   a file at its own path, and what several share is in dist/chunks. So a check and the code that runs it are loaded once, and
 *   a running lvsd whose files are replaced loads the new ones with all that they need.
 *
 * The source maps name the files of src and checks.
 */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { build } from 'esbuild'
import { licencesOf } from './package/licences.mjs'

const root = join(import.meta.dirname, '..')
const target = resolve(process.argv[2] ?? join(root, 'dist'))

/** They have files of their own beside their code, or only a check or a setting needs them. */
const LIBRARIES_APART = [
  'koffi',
  'ioredis',
  'mysql2',
  'nodemailer',
  'oracledb',
  'pg',
  'string-width',
  'wrap-ansi',
]
const COMMANDS = 'src/cli/commands'
/** The program with the commands that ask a running lvsd. */
const ASKING = 'src/cli/asking'
/** Files that no literal import names. */
const BY_PATH =
  /^(?:checks\/[a-z0-9-]+|src\/(?:cli\/(?:commands\/[a-z-]+|manual\/write-manual)|check\/check|ldirectord-command\/main|workers\/entry|.*-(?:thread|entry)))\.ts$/
const LAZY_IMPORT = /\bimport\('(\.[^']+)\.js'\)/g
/** What a director loads at its start. */
const DIRECTOR = [
  'src/cli/program.ts',
  'src/cli/commands/run.ts',
  'src/director/compose.ts',
  'checks/http.ts',
]
/** These load no more than they need: threads and processes beside a director, and commands that load part of it. */
const APART = /^src\/(?:.*(?:-thread|entry)|cli\/(?:program|commands\/(?:validate|plan|probe)))\.ts$/
/** Parts of fastify that lvsd does not use (`src/api/app.ts`): JSON Schema, and requests of tests. */
const UNUSED = /^(?:@fastify\/(?:ajv-compiler|fast-json-stringify-compiler)|light-my-request)$/
/** A command that loads this library loads all that reads a configuration. */
const HEAVY = 'zod'

const common = {
  absWorkingDir: root,
  preserveSymlinks: true,
  outbase: root,
  outdir: target,
  chunkNames: 'chunks/[name]-[hash]',
  bundle: true,
  write: false,
  metafile: true,
  platform: 'node',
  target: 'node20.19',
  format: 'esm',
  external: LIBRARIES_APART,
  sourcemap: true,
  sourcesContent: false,
  legalComments: 'none',
  // Half the time in which Node.js compiles a file. Names stay.
  minifyWhitespace: true,
  minifySyntax: true,
  logLevel: 'warning',
}
/**
 * The first line of each file has these where it needs them. Libraries in CommonJS load the modules of Node.js by `require`.
 * `builtPlace` is the folder of the build, from which a module finds other files: its own place is not that of the file into which
 * it is bundled.
 */
const REQUIRE =
  "import{createRequire as requireFrom}from'node:module';const require=requireFrom(import.meta.url);"
const PLACE = "const builtPlace=new URL('@WAY@/',import.meta.url);"
const HEAD = `${REQUIRE}${PLACE}`

const sources = ['src', 'checks'].flatMap(folder =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter(name => name.endsWith('.ts'))
    .map(name => `${folder}/${name}`)
    .filter(name => !/^src\/(?:docs|web)\//.test(name)),
)
const commands = sources
  .filter(name => dirname(name) === COMMANDS)
  .map(file => ({ file, name: file.slice(COMMANDS.length + 1, -'.ts'.length) }))
  .sort((a, b) => (a.name < b.name ? -1 : 1))

const heavy = await heavyCommands()
const lazy = sources.flatMap(file =>
  [...textOf(file).matchAll(LAZY_IMPORT)].map(([, path]) => `${join(dirname(file), path)}.ts`),
)
const entries = [...new Set([...sources.filter(name => BY_PATH.test(name)), ...lazy])]
const parts = await Promise.all([
  bundled(['src/main.ts'], { replaced: { 'src/cli/start.ts': start() } }),
  bundled([{ in: 'src/cli/program.ts', out: ASKING }], {
    replaced: { 'src/cli/registry.ts': registry() },
    splitting: false,
  }),
  bundled(entries, { together: await modulesTogether() }),
])
for (const { path, text } of parts.flatMap(({ outputFiles }) => outputFiles))
  write(path, path.endsWith('.js') ? placed(path, text) : text)
const read = parts.flatMap(({ metafile }) => Object.keys(metafile.inputs))
write(join(target, 'licences.txt'), licencesOf(root, read))

/** `replaced`: texts in JavaScript in the place of files. */
function bundled(entryPoints, { replaced = {}, splitting = true, together = new Map() } = {}) {
  const plugin = { name: 'lvsd', setup: bundler => prepare(bundler, replaced, together) }
  return build({ ...common, splitting, entryPoints, banner: { js: HEAD }, plugins: [plugin] })
}

function prepare(bundler, replaced, together) {
  if (together.size > 0) loadTogether(bundler, together)
  bundler.onLoad({ filter: /\.ts$/ }, ({ path }) => {
    const file = relative(root, path)
    const text = replaced[file] ?? textOf(file)
    return { contents: withPlaces(text, file), loader: 'ts' }
  })
  // The messages of zod in forty languages, of which lvsd uses none.
  bundler.onLoad({ filter: /\/zod\/v4\/locales\/index\.js$/ }, () => ({
    contents: "export { default as en } from './en.js'",
  }))
  bundler.onResolve({ filter: UNUSED }, ({ path }) => ({ path, namespace: 'unused' }))
  bundler.onLoad({ filter: /.*/, namespace: 'unused' }, ({ path }) => ({
    contents: `throw new Error('${path} is not in this build')`,
  }))
}

// ---------------------------------------------------------------- commands

/** The names of the commands that need more than to ask a running lvsd. */
async function heavyCommands() {
  const entryPoints = commands.map(({ file }) => file)
  const { metafile } = await build({ ...common, splitting: true, entryPoints, packages: 'external' })
  return commands.filter(({ file }) => reaches(metafile.inputs, file, HEAVY)).map(({ name }) => name)
}

function reaches(inputs, file, library, seen = new Set()) {
  if (seen.has(file)) return false
  seen.add(file)
  return inputs[file].imports.some(({ path, external }) =>
    external ? path === library : reaches(inputs, path, library, seen),
  )
}

/** In one file an import that waits is a call, so only the modules of the command that runs are evaluated. */
function registry() {
  const load = commands.map(({ name }) => {
    const module = `./commands/${name}.js`
    const address = heavy.includes(name) ? `new URL('${module}', import.meta.url).href` : `'${module}'`
    return `'${name}': () => import(${address})`
  })
  const summaries = commands.map(({ name, file }) => ({ name, summary: summaryOf(file) }))
  return `const load = { ${load.join(', ')} }
    export const commandNames = () => Object.keys(load)
    export const loadCommand = async name => (await load[name]()).command
    export const summaries = async () => ${JSON.stringify(summaries)}`
}

function summaryOf(file) {
  const summary = /^\s+summary: '([^'\\]+)',$/m.exec(textOf(file))?.[1]
  if (summary === undefined) throw new Error(`${file} has no summary on a line of its own`)
  return summary
}

/** A program has its own copy of all classes, so a command runs in that which loads it. */
function start() {
  return `const heavy = new Set(${JSON.stringify(heavy)})
    export const startProgram = command =>
      import(new URL(heavy.has(command) ? './program.js' : './asking.js', import.meta.url).href)`
}

// ---------------------------------------------------------------- chunks

/**
 * Returns for each entry the modules that it has to load besides its own. The bundler makes a chunk of modules that the same
 * entries load, which would be a hundred chunks for a director. So modules that the same of these programs load are loaded
 * together by all entries that load one of them.
 */
async function modulesTogether() {
  const { metafile } = await build({ ...common, splitting: true, entryPoints: entries, packages: 'external' })
  const kinds = entries.filter(name => name.startsWith('checks/'))
  const apart = entries.filter(name => APART.test(name)).map(name => [name])
  const loadedBy = [DIRECTOR, kinds, ...apart].map(roots => loadedWith(roots, metafile.inputs))
  const groups = new Map()
  for (const module of loadedBy[0]) {
    if (entries.includes(module)) continue
    const signature = loadedBy.map(loaded => (loaded.has(module) ? 'x' : '-')).join('')
    groups.set(signature, [...(groups.get(signature) ?? []), module])
  }
  return new Map(
    entries.map(entry => {
      const own = loadedWith([entry], metafile.inputs)
      const touched = [...groups.values()].filter(group => group.some(module => own.has(module)))
      return [entry, touched.flat().filter(module => !own.has(module))]
    }),
  )
}

/** All modules that are loaded with these. */
function loadedWith(roots, inputs) {
  const found = new Set(roots)
  for (const file of found)
    for (const { path, kind, external } of inputs[file].imports)
      if (kind === 'import-statement' && !external) found.add(path)
  return found
}

/** The other modules come after those of the entry, so that the order in which these are evaluated stays. */
function loadTogether(bundler, together) {
  bundler.onResolve({ filter: /\.[jt]s$/ }, ({ path, kind, resolveDir }) => {
    const file = relative(root, resolve(resolveDir, path)).replace(/\.js$/, '.ts')
    const isEntry = kind === 'entry-point' || kind === 'dynamic-import'
    return isEntry && together.has(file) ? { path: join(root, file), namespace: 'entry' } : null
  })
  bundler.onLoad({ filter: /.*/, namespace: 'entry' }, ({ path }) => {
    const file = relative(root, path)
    const others = together.get(file).map(module => `import '${join(root, module)}'`)
    return { contents: [`export * from '${path}'`, ...others].join('\n'), resolveDir: root, loader: 'ts' }
  })
}

// ---------------------------------------------------------------- places

function withPlaces(text, file) {
  if (!text.includes('import.meta')) return text
  const url = `new URL('${file.replace(/\.ts$/, '.js')}', builtPlace).href`
  return `${text
    .replaceAll(/(?<!')import\.meta\.url/g, url)
    .replaceAll('import.meta.dirname', `pathOfPlace(new URL('.', ${url}))`)
    .replaceAll('import.meta.filename', `pathOfPlace(${url})`)}
    import { fileURLToPath as pathOfPlace } from 'node:url'`
}

/** Replaces the first line, which stays a line, so that all places in the source map stay right. */
function placed(path, text) {
  const [before, after] = text.split(HEAD)
  if (after === undefined) throw new Error(`${path} does not begin with its first line`)
  const require = /\brequire\b/.test(after) ? REQUIRE : ''
  const place = after.includes('builtPlace')
    ? PLACE.replace('@WAY@', relative(dirname(path), target) || '.')
    : ''
  return `${before}${require}${place}${after}`
}

// ---------------------------------------------------------------- files

function textOf(file) {
  return readFileSync(join(root, file), 'utf8')
}

function write(path, content) {
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, content)
}
