/**
 * Bundles src and checks into dist, or into the folder that is named, in three parts:
 *
 * - main.cjs, and one file with all commands that ask a running lvsd: each file that is loaded costs as much time as many lines
 *   of code. Both are in CommonJS, as are threads that import no modules: Node.js needs 6 ms to prepare for modules.
 * - The script program.cjs with all else that runs in the first thread: the other commands with all kinds of check, the command
 *   ldirectord, and what writes the man pages; also the thread that reads a configuration, which needs the same. What it imports
 *   later is in it, too. A script can have V8's code cache (src/system/code-cache.ts), which modules cannot.
 * - Threads, processes, kinds of check, and what users import. Each of these is a file at its own path, and what several share is in
 *   dist/chunks. So a check and the code that runs it are loaded once, and a running lvsd whose files are replaced loads the
 *   new ones with all that they need.
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
/** The script with all other programs. */
const SCRIPT = 'src/cli/program'
/** The files by which the programs of the script start, by their names in it. */
const PROGRAMS = {
  lvsd: 'src/cli/program',
  ldirectord: 'src/ldirectord-command/main',
  manual: 'src/cli/manual/write-manual',
  reading: 'src/config/reading-thread',
}
/** Programs that are started by the paths of their files. */
const STARTED_BY_PATH = Object.keys(PROGRAMS).filter(name => name !== 'lvsd')
const isCommonThread = file => COMMON_THREADS.some(name => file.endsWith(`/${name}.ts`))
const isProgram = file => STARTED_BY_PATH.some(name => file === `${PROGRAMS[name]}.ts`)
/** Files of threads, processes and users, which no literal import names. */
const BY_PATH =
  /^(?:checks\/[\w-]+|src\/(?:check\/check|cli\/write-code-cache|workers\/entry|.*-(?:thread|entry)))\.ts$/
/** Threads that load no kinds. Each is one file, as it shares no classes with others. */
const ALONE = /^src\/(?:schedule\/engine\/engine|cluster\/redis\/connection)-thread\.ts$/
/** Parts of fastify that lvsd does not use (`src/api/app.ts`): JSON Schema, and requests of tests. */
const UNUSED = /^(?:@fastify\/(?:ajv-compiler|fast-json-stringify-compiler)|light-my-request)$/
/** Threads that are in CommonJS, by the names by which they are opened. */
const COMMON_THREADS = ['reading-thread', 'engine-thread']
/** The file that imports zod, and how others import it from there as a value. */
const ZOD_FILE = 'src/check/option-types.ts'
const IMPORT_OF_Z = /import \{([^}]*?),?(?<!type) z([^}]*)\} from ('[^']*option-types\.js')/
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
/** The same in CommonJS. */
const COMMON_HEAD =
  "'use strict';const builtPlace=new URL('@WAY@/',require('node:url').pathToFileURL(__filename));"

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
const parts = await Promise.all([
  inCommonJs(['src/main.ts'], { 'src/cli/start.ts': start() }),
  inCommonJs([{ in: 'src/cli/program.ts', out: ASKING }], { 'src/cli/registry.ts': registry(heavy) }),
  bundled(
    sources.filter(name => BY_PATH.test(name) && !ALONE.test(name) && !isProgram(name)),
    {},
  ),
  ...sources
    .filter(name => ALONE.test(name))
    .map(name => (isCommonThread(name) ? inCommonJs([name]) : bundled([name], { splitting: false }))),
  ...STARTED_BY_PATH.map(name => {
    const file = `${PROGRAMS[name]}.ts`
    const replaced = { [file]: running(name) }
    return isCommonThread(file) ? inCommonJs([file], replaced) : bundled([file], { replaced })
  }),
  script(),
])
for (const { path, text } of parts.flatMap(({ outputFiles }) => outputFiles))
  write(path, /\.c?js$/.test(path) ? placed(path, text) : text)
const read = parts.flatMap(({ metafile }) => Object.keys(metafile.inputs))
write(join(target, 'licences.txt'), licencesOf(root, read))

/** `replaced`: texts in JavaScript in the place of files. */
function bundled(entryPoints, { replaced = {}, splitting = true } = {}) {
  const plugins = [{ name: 'lvsd', setup: bundler => prepare(bundler, replaced) }]
  return build({ ...common, splitting, entryPoints, banner: { js: HEAD }, plugins })
}

/** Each entry point becomes one file that needs no other. */
function inCommonJs(entryPoints, replaced = {}) {
  const plugins = [{ name: 'lvsd', setup: bundler => prepare(bundler, replaced) }]
  return build({
    ...common,
    format: 'cjs',
    outExtension: { '.js': '.cjs' },
    entryPoints,
    banner: { js: COMMON_HEAD },
    plugins,
  })
}

/** A function of the arguments that src/system/code-cache.ts has for it, in one expression and in ASCII. */
async function script() {
  const replaced = {
    'src/cli/registry.ts': registry([]),
    'src/kinds/import-kind.ts': kinds(),
    'src/system/this-script.ts': 'export const thisScript = itselfAsScript',
  }
  const made = await build({
    ...common,
    format: 'cjs',
    stdin: { contents: programs(), resolveDir: root, sourcefile: 'programs.js' },
    outfile: join(target, `${SCRIPT}.cjs`),
    outdir: undefined,
    // A script cannot import modules without a warning of Node.js 20. The libraries that it loads later are in CommonJS.
    supported: { 'dynamic-import': false },
    // A library asks for it as it is loaded.
    define: { 'import.meta.url': 'itselfAsScript.place' },
    banner: {
      js: `(function(require,module,exports,itselfAsScript){const builtPlace=new URL('${relative(dirname(SCRIPT), '.')}/',itselfAsScript.place);`,
    },
    footer: { js: '})' },
    plugins: [{ name: 'lvsd', setup: bundler => prepare(bundler, replaced) }],
  })
  const { text } = made.outputFiles.find(({ path }) => path.endsWith('.cjs'))
  if (/[^\0-\x7f]/.test(text)) throw new Error(`${SCRIPT}.cjs is not in ASCII`)
  return made
}

function prepare(bundler, replaced) {
  bundler.onLoad({ filter: /\.ts$/ }, ({ path }) => {
    const file = relative(root, path)
    const text = replaced[file] ?? textOf(file)
    return { contents: inAscii(withPlaces(withoutNamespace(text, file), file)), loader: 'ts' }
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

/**
 * In one file an import that waits is a call, so only the modules of the command that runs are evaluated. `elsewhere`: the
 * commands of the script.
 */
function registry(elsewhere) {
  const load = commands.map(({ name }) => {
    const module = elsewhere.includes(name)
      ? `script().loadCommand('${name}')`
      : `import('./commands/${name}.js').then(({ command }) => command)`
    return `'${name}': async () => ${module}`
  })
  const summaries = commands.map(({ name, file }) => ({ name, summary: summaryOf(file) }))
  return `${elsewhere.length > 0 ? runner() : ''}
    const load = { ${load.join(', ')} }
    export const commandNames = () => Object.keys(load)
    export const loadCommand = name => load[name]()
    export const summaries = async () => ${JSON.stringify(summaries)}`
}

function summaryOf(file) {
  const summary = /^\s+summary: '([^'\\]+)',$/m.exec(textOf(file))?.[1]
  if (summary === undefined) throw new Error(`${file} has no summary on a line of its own`)
  return summary
}

/** A program has its own copy of all classes, so a command runs in that which loads it. */
function start() {
  return `${runner()}
    const heavy = new Set(${JSON.stringify(heavy)})
    export const startProgram = async command =>
      heavy.has(command)
        ? script().lvsd()
        : require(require('node:url').fileURLToPath(new URL('./asking.cjs', import.meta.url)))`
}

// ---------------------------------------------------------------- script

function programs() {
  const starts = Object.entries(PROGRAMS).map(
    ([name, path]) => `export const ${name} = () => import('./${path}.js')`,
  )
  return [...starts, "export { loadCommand } from './src/cli/registry.js'"].join('\n')
}

function kinds() {
  const names = sources.flatMap(name => /^checks\/([\w-]+)\.ts$/.exec(name)?.[1] ?? [])
  const load = names.map(name => `'${name}.js': () => import('../../checks/${name}.js')`)
  return `const load = { ${load.join(', ')} }
    export const importKind = async module => load[module.slice(module.lastIndexOf('/') + 1)]()`
}

/** A file by whose path a program of the script is started. */
function running(name) {
  return `${runner()}
    void script().${name}()`
}

function runner() {
  return `import { runScript } from '${join(root, 'src/system/code-cache.js')}'
    let ran
    const script = () => (ran ??= runScript(new URL('${SCRIPT}.cjs', builtPlace)).exports)`
}

// ---------------------------------------------------------------- zod

/**
 * Each file imports zod itself. In the sources one file does, and the others have its namespace, which then is an object with a
 * function for each of a thousand names, made at each start.
 */
function withoutNamespace(text, file) {
  if (file === ZOD_FILE)
    return text.replace("import { z } from 'zod'", "import * as z from 'zod'").replace('export { z }', '')
  return text.replace(IMPORT_OF_Z, (_, before, after, from) => {
    const others = `${before}${after}`.replace(/^,|,$/g, '')
    return `import * as z from 'zod'${others.trim() ? `; import {${others}} from ${from}` : ''}`
  })
}

// ---------------------------------------------------------------- places

function withPlaces(written, file) {
  if (!written.includes('import.meta')) return written
  const text = written.replaceAll(/besideFile\(import\.meta\.url, '([\w-]+)'\)/g, (call, name) =>
    COMMON_THREADS.includes(name) ? `new URL('./${name}.cjs', import.meta.url)` : call,
  )
  const url = `new URL('${file.replace(/\.ts$/, '.js')}', builtPlace).href`
  return `${text
    .replaceAll(/(?<!')import\.meta\.url/g, url)
    .replaceAll('import.meta.dirname', `pathOfPlace(new URL('.', ${url}))`)
    .replaceAll('import.meta.filename', `pathOfPlace(${url})`)}
    import { fileURLToPath as pathOfPlace } from 'node:url'`
}

/** The bundler escapes texts itself, but not regular expressions. A script in ASCII takes half the memory. */
function inAscii(text) {
  return text.replaceAll(/[^\0-\x7f]/g, sign => `\\u${sign.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

/** Replaces the first line, which stays a line, so that all places in the source map stay right. */
function placed(path, text) {
  if (path === join(target, `${SCRIPT}.cjs`)) return text
  const isCommon = path.endsWith('.cjs')
  const [before, after] = text.split(isCommon ? COMMON_HEAD : HEAD)
  if (after === undefined) throw new Error(`${path} does not begin with its first line`)
  const require = !isCommon && /\brequire\b/.test(after) ? REQUIRE : ''
  const place = after.includes('builtPlace')
    ? (isCommon ? COMMON_HEAD : PLACE).replace('@WAY@', relative(dirname(path), target) || '.')
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
