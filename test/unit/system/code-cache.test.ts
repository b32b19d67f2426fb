import assert from 'node:assert/strict'
import fs, { copyFileSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { join } from 'node:path'
import { mock } from 'node:test'
import { pathToFileURL } from 'node:url'
import { crc32 } from 'node:zlib'
import { runScript, writeCache } from '../../../src/system/code-cache.js'
import { onCleanup } from '../../support/after-each.js'
import { temporaryFolder } from '../../support/folder.js'

interface Exports {
  readonly answer: number
  readonly cache: string
  readonly place: string
  readonly name: string
  readonly stack: string
  readonly separator: string
}

/** `answer` is one digit, so that all these scripts have the same length. */
function scriptWith(answer: number): string {
  return `(function(require,module,exports,itself){
    const answer = () => ${answer}
    const { stack } = new Error()
    module.exports = { ...itself, answer: answer(), stack, separator: require('node:path').sep }
  })`
}

/** Returns the URL of a script with its cache, which has not run by this name: V8 remembers in a process what has. */
function cachedScript(): URL {
  const file = pathToFileURL(join(temporaryFolder(), 'script.cjs'))
  writeFileSync(file, scriptWith(1))
  writeCache(file, runScript<Exports>(file))
  return copyOf(file)
}

function refused(): never {
  throw Object.assign(new Error('no right'), { code: 'EACCES' })
}

let copies = 0

function copyOf(file: URL): URL {
  const copy = pathToFileURL(join(temporaryFolder(), `copy${++copies}.cjs`))
  copyFileSync(file, copy)
  copyFileSync(cacheOf(file), cacheOf(copy))
  return copy
}

function cacheOf(file: URL): URL {
  return new URL(`${file.href}.cache`)
}

describe('code cache: what V8 compiled of a script before', () => {
  it('is missing at first, and is used when it has been written', () => {
    const file = pathToFileURL(join(temporaryFolder(), 'script.cjs'))
    writeFileSync(file, scriptWith(1))
    const first = runScript<Exports>(file)
    assert.deepEqual([first.cache, first.exports.cache, first.exports.answer], ['missing', 'missing', 1])
    writeCache(file, first)
    const second = runScript<Exports>(copyOf(file))
    assert.deepEqual([second.cache, second.exports.cache, second.exports.answer], ['used', 'used', 1])
    assert.equal(runScript<Exports>(file, { isFresh: true }).cache, 'missing')
  })

  it('is read into the memory of a script that is longer', () => {
    const file = pathToFileURL(join(temporaryFolder(), 'script.cjs'))
    const long = `'${'x'.repeat(500_000)}'.length`
    writeFileSync(file, `${scriptWith(1).replace('answer()', long)}//${' '.repeat(10_000)}`)
    writeCache(file, runScript<Exports>(file))
    const copy = copyOf(file)
    const { arrayBuffers: before } = process.memoryUsage()
    const { cache, exports } = runScript<Exports>(copy)
    const grown = process.memoryUsage().arrayBuffers - before
    assert.deepEqual([cache, exports.answer], ['used', 500_000])
    assert.ok(statSync(cacheOf(copy)).size > 500_000)
    assert.ok(grown < 600_000, `${grown} bytes more`)
    const cut = readFileSync(cacheOf(copy)).subarray(0, -1)
    writeFileSync(cacheOf(copy), cut)
    assert.equal(runScript<Exports>(copy).cache, 'refused')
  })

  it('leaves a script its place, what it requires, and a name in stacks that does not depend on its folder', () => {
    const file = pathToFileURL(join(temporaryFolder(), 'script.cjs'))
    writeFileSync(file, scriptWith(1))
    const { exports } = runScript<Exports>(file)
    assert.deepEqual([exports.place, exports.name, exports.separator], [file.href, 'lvsd:script.cjs', '/'])
    assert.ok(exports.stack.includes('lvsd:script.cjs:3:'), exports.stack)
    assert.ok(!exports.stack.includes(file.pathname), exports.stack)
  })

  it('is refused for another script of the same length, which runs as it is', () => {
    const file = cachedScript()
    writeFileSync(file, scriptWith(2))
    const { cache, exports } = runScript<Exports>(file)
    assert.deepEqual([cache, exports.answer], ['refused', 2])
  })

  it('is refused where the script was replaced before the cache of the former one was written', () => {
    const file = pathToFileURL(join(temporaryFolder(), 'script.cjs'))
    writeFileSync(file, scriptWith(1))
    const ran = runScript<Exports>(file)
    writeFileSync(file, scriptWith(2))
    writeCache(file, ran)
    const { cache, exports } = runScript<Exports>(copyOf(file))
    assert.deepEqual([cache, exports.answer], ['refused', 2])
  })

  it('is refused where any part of it is damaged or cut off', () => {
    const file = cachedScript()
    const whole = readFileSync(cacheOf(file))
    const spoilt = [0, 4, 8, 12, 30, whole.length >> 1, whole.length - 1].map(at => {
      const bytes = Buffer.from(whole)
      bytes.writeUInt8(bytes.readUInt8(at) ^ 1, at)
      return bytes
    })
    const short = [0, 1, 8, 9, whole.length - 1].map(length => whole.subarray(0, length))
    for (const bytes of [...spoilt, ...short]) {
      writeFileSync(cacheOf(file), bytes)
      const { cache, exports } = runScript<Exports>(file)
      assert.deepEqual([cache, exports.answer], ['refused', 1])
    }
  })

  for (const [which, stat] of [
    ['another Node.js, as V8 may not see it and crash', () => ({ size: 1, mtimeMs: 2 })],
    ['a Node.js that cannot be looked at', null],
  ] as const)
    it(`is refused for ${which}`, () => {
      const file = cachedScript()
      const { mock: replaced } = mock.method(fs, 'statSync', stat ?? refused)
      const restore = () => {
        replaced.restore()
        syncBuiltinESMExports()
      }
      onCleanup(restore)
      syncBuiltinESMExports()
      const ran = runScript<Exports>(file)
      assert.deepEqual([ran.cache, ran.exports.answer], ['refused', 1])
      if (!stat) assert.throws(() => writeCache(file, ran), /\/proc/)
      restore()
      assert.equal(runScript<Exports>(copyOf(file)).cache, 'used')
    })

  it('leaves nothing behind where it cannot be written', () => {
    const file = pathToFileURL(join(temporaryFolder(), 'script.cjs'))
    writeFileSync(file, scriptWith(1))
    const ran = runScript<Exports>(file)
    mkdirSync(cacheOf(file))
    assert.throws(() => writeCache(file, ran), { code: 'EISDIR' })
    assert.deepEqual(readdirSync(new URL('.', file)).sort(), ['script.cjs', 'script.cjs.cache'])
  })

  it('is refused by V8 for other flags or another version', () => {
    const file = cachedScript()
    const whole = readFileSync(cacheOf(file))
    // Version and flags are the second and the fourth word of what V8 writes.
    for (const word of [1, 3]) {
      const bytes = Buffer.from(whole)
      bytes.writeUInt8(bytes.readUInt8(8 + 4 * word) ^ 1, 8 + 4 * word)
      bytes.writeUInt32LE(crc32(bytes.subarray(8)), 4)
      writeFileSync(cacheOf(file), bytes)
      const { cache, exports } = runScript<Exports>(copyOf(file))
      assert.deepEqual([cache, exports.answer], ['refused', 1])
    }
  })
})
