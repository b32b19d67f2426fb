/** Imports point down. The floors stand in src/README.md; this holds the sources to them. */
import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join, normalize } from 'node:path'
import { packageRoot } from '../../src/system/version.js'

/** An import that is there: from a file to a file or a package, both as paths from the top of the repository. */
interface Import {
  readonly from: string
  readonly to: string
}

/** Static and dynamic ones, those of types alone included: who needs a type knows the room that has it. */
const IMPORT = /(?:\bfrom|\bimport|\bimport\(|\brequire\()\s*'([^']+)'/g

/** These touch nothing but their arguments: no file, no socket, no process, no thread. */
const PURE = ['core', 'util', 'search']
const IMPURE = ['fs', 'net', 'child_process', 'dgram', 'dns', 'http', 'https', 'tls', 'worker_threads'].map(
  name => new RegExp(`^node:${name}(/|$)`),
)

function sourcesIn(folder: string): readonly string[] {
  return readdirSync(join(packageRoot, folder), { recursive: true, encoding: 'utf8' })
    .filter(name => /\.tsx?$/.test(name))
    .map(name => join(folder, name))
}

function importsOf(file: string, text: string): readonly Import[] {
  return [...text.matchAll(IMPORT)].map(([, to = '']) => ({
    from: file,
    to: to.startsWith('.') ? sourceOf(normalize(join(file, '..', to))) : to,
  }))
}

/** The file that is compiled to this one. */
function sourceOf(compiled: string): string {
  const source = compiled.replace(/\.js$/, '.ts')
  return existsSync(join(packageRoot, `${source}x`)) ? `${source}x` : source
}

/** The room of a file as the table of src/README.md has it: `core`, `main.ts`, `../checks/lib`. */
function roomOf(file: string): string {
  const [top, room = '', ...rest] = file.split('/')
  if (top === 'checks') return rest.length > 0 ? `../checks/${room}` : '../checks'
  return room
}

function floors(): ReadonlyMap<string, number> {
  const readme = readFileSync(join(packageRoot, 'src/README.md'), 'utf8')
  const rows = [...readme.matchAll(/^\| (\d+) \| `([^`]+)` \|/gm)]
  return new Map(rows.map(([, floor, room = '']) => [room, Number(floor)]))
}

const FLOORS = floors()

/** One sentence for each import that does not point down. */
function faultsOf(imports: readonly Import[]): readonly string[] {
  return imports.flatMap(({ from, to }) => {
    if (!/^(src|checks)\//.test(to)) return []
    const [upper, lower] = [roomOf(from), roomOf(to)]
    if (upper === lower) return []
    const [own, other] = [FLOORS.get(upper), FLOORS.get(lower)]
    if (own === undefined || other === undefined)
      return [`${from} imports ${to}: ${own === undefined ? upper : lower} is no room of src/README.md`]
    if (own > other) return []
    return [`${from} imports ${to}: ${upper} is on floor ${own} and may not know ${lower} on floor ${other}`]
  })
}

const files = [...sourcesIn('src'), ...sourcesIn('checks')]
const imports = files.flatMap(file => importsOf(file, readFileSync(join(packageRoot, file), 'utf8')))

describe('imports', () => {
  it('point down to lower floors', () => {
    assert.deepEqual(faultsOf(imports), [])
  })

  it('would be found if they did not', () => {
    assert.deepEqual(faultsOf(importsOf('src/core/x.ts', "import { a } from '../ipvs/client.js'")), [
      'src/core/x.ts imports src/ipvs/client.ts: core is on floor 1 and may not know ipvs on floor 4',
    ])
    assert.deepEqual(faultsOf(importsOf('src/health/x.ts', "await import('../reconcile/reconciler.js')")), [
      'src/health/x.ts imports src/reconcile/reconciler.ts: health is on floor 5 and may not know reconcile on floor 5',
    ])
    assert.deepEqual(faultsOf(importsOf('src/drawer/x.ts', "import type { A } from '../core/model.js'")), [
      'src/drawer/x.ts imports src/core/model.ts: drawer is no room of src/README.md',
    ])
  })

  it('make no cycle of files', () => {
    assert.deepEqual(cyclesOf(imports), [])
    const ring = [
      { from: 'a', to: 'b' },
      { from: 'b', to: 'c' },
      { from: 'c', to: 'a' },
      { from: 'c', to: 'd' },
    ]
    assert.deepEqual(cyclesOf(ring), [['a', 'b', 'c']])
  })

  it('of the page are those of types of the API, in one file', () => {
    const foreign = imports.filter(
      ({ from, to }) => roomOf(from) === 'web' && to.startsWith('src/') && roomOf(to) !== 'web',
    )
    assert.ok(foreign.length > 0)
    for (const { from, to } of foreign) assert.deepEqual([from, roomOf(to)], ['src/web/api-types.ts', 'api'])
    const text = readFileSync(join(packageRoot, 'src/web/api-types.ts'), 'utf8')
    assert.doesNotMatch(text, /^(import|export) (?!type|interface)/m)
  })

  it('take each library from outside in one file', () => {
    const users = new Map<string, Set<string>>()
    for (const { from, to } of imports)
      if (
        /^(@?[a-z])/.test(to) &&
        !to.startsWith('node:') &&
        !to.startsWith('src/') &&
        !to.startsWith('checks/')
      )
        users.set(to, (users.get(to) ?? new Set()).add(from))
    for (const library of ['koffi', 'zod', 'commander', 'string-width', 'wrap-ansi'])
      assert.ok(users.has(library), [...users.keys()].join())
    // The page is written in preact throughout.
    for (const library of ['preact', 'preact/hooks']) users.delete(library)
    for (const [library, those] of users) assert.equal(those.size, 1, `${library}: ${[...those].join(', ')}`)
  })

  for (const room of PURE)
    it(`keep ${room} away from files, sockets, processes and threads`, () => {
      const wrong = imports.filter(
        ({ from, to }) => roomOf(from) === room && IMPURE.some(impure => impure.test(to)),
      )
      assert.deepEqual(wrong, [])
      assert.ok(imports.some(({ from }) => roomOf(from) === room))
    })
})

describe('src/README.md', () => {
  it('has a line for each room, and for no other', () => {
    assert.deepEqual([...FLOORS.keys()].sort(), [...new Set(files.map(roomOf))].sort())
  })

  it('names files that are there', () => {
    const readme = readFileSync(join(packageRoot, 'src/README.md'), 'utf8')
    const named = [...readme.matchAll(/`([a-z][\w/-]*\/[\w-]+\.ts)`/g)].map(([, name = '']) => name)
    assert.ok(named.length > 20)
    const missing = named.filter(name => !files.includes(`src/${name}`) && !name.startsWith('test/'))
    assert.deepEqual(missing, [])
  })
})

/** The files of each cycle, sorted: whatever reaches itself. */
function cyclesOf(those: readonly Import[]): readonly (readonly string[])[] {
  const next = new Map<string, string[]>()
  for (const { from, to } of those) next.set(from, [...(next.get(from) ?? []), to])
  const reached = new Map([...next.keys()].map(file => [file, reachedFrom(file, next)]))
  const looped = [...next.keys()].filter(file => reached.get(file)?.has(file))
  const rings = new Map<string, readonly string[]>()
  for (const file of looped) {
    const ring = looped.filter(other => reached.get(file)?.has(other) && reached.get(other)?.has(file)).sort()
    rings.set(ring.join(), ring)
  }
  return [...rings.values()]
}

function reachedFrom(file: string, next: ReadonlyMap<string, readonly string[]>): ReadonlySet<string> {
  const found = new Set<string>()
  const waiting = [...(next.get(file) ?? [])]
  for (let one = waiting.pop(); one !== undefined; one = waiting.pop()) {
    if (found.has(one)) continue
    found.add(one)
    waiting.push(...(next.get(one) ?? []))
  }
  return found
}
