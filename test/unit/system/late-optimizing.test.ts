import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const FILE = fileURLToPath(new URL('../../../src/system/late-optimizing.ts', import.meta.url))
const SMALL_HEAP = fileURLToPath(new URL('../../../src/system/small-heap.ts', import.meta.url))

/**
 * What a process prints that calls a function until V8 has optimized it, or `most` times. `%GetOptimizationStatus` tells so, by the
 * bits kMaglevved and kTurboFanned (src/runtime/runtime.h of V8).
 */
function turnsIn(first: string, most: number): string {
  const program = `import { optimizeLater, optimizeIn } from ${JSON.stringify(FILE)}
    const statusOf = new Function('f', 'return %GetOptimizationStatus(f)')
    const work = n => { let sum = 0; for (let i = 0; i < n; i++) sum += i % 7; return sum }
    ${first}
    let turns = 0
    while ((statusOf(work) & 96) === 0 && turns++ < ${most}) {
      for (let i = 0; i < 100; i++) work(10_000)
      await new Promise(setImmediate)
    }
    console.log(turns < ${most} ? 'optimized' : 'as it was')`
  const words = [
    '--allow-natives-syntax',
    '--no-maglev',
    '--import',
    'tsx',
    '--input-type=module',
    '--eval',
    program,
  ]
  return execFileSync(process.execPath, words, { encoding: 'utf8' }).trim()
}

/** How often a process calls a function until V8 has optimized it, in the same thread. */
function callsUntilOptimized(first: string): number {
  const program = `import { setTimeout as wait } from 'node:timers/promises'
    import { optimizeIn } from ${JSON.stringify(FILE)}
    const statusOf = new Function('f', 'return %GetOptimizationStatus(f)')
    const work = (a, b) => (a % 7) + (b % 5)
    ${first}
    let calls = 0
    while ((statusOf(work) & 96) === 0 && calls++ < 1_000_000) work(calls, 3)
    console.log(calls)
    process.exit()`
  const words = [
    '--allow-natives-syntax',
    '--no-maglev',
    '--no-concurrent-recompilation',
    '--no-use-osr',
    '--import',
    'tsx',
  ]
  return Number(
    execFileSync(process.execPath, [...words, '--input-type=module', '--eval', program], {
      encoding: 'utf8',
    }),
  )
}

const PARTS = `import { setTimeout as wait } from 'node:timers/promises'
    import * as lateOptimizing from ${JSON.stringify(FILE)}
    import { letHeapGrow } from ${JSON.stringify(SMALL_HEAP)}
    const { optimizeLater, optimizeIn, limitLateOptimizing, pauseOptimizing, endPause } = lateOptimizing`

/** True if V8 takes a code cache of before when the heap may grow: it refuses one of other flags. */
function takesCache(first: string): boolean {
  const program = `${PARTS}
    import { Script } from 'node:vm'
    // V8 compares no more than the length of the text, and remembers a text in a process.
    const text = digit => '(function(){ return ' + digit + ' })'
    const cachedData = new Script(text(1)).createCachedData()
    ${first}
    letHeapGrow(60_000)
    console.log(new Script(text(2), { cachedData }).cachedDataRejected)
    process.exit()`
  return outputOf(['--input-type=module', '--eval', program]) === 'false'
}

/** How often all of the heap is marked while many objects are made and dropped, by code that has filled the heap with `fill`
 * before. V8 decides by young generations that cannot grow, as that of the engine. */
function marksAfter(first: string): number {
  const program = `${PARTS}
    import { PerformanceObserver, constants } from 'node:perf_hooks'
    const make = i => ({ i, ms: i + 0.5, parts: [{ i, ms: i + 0.5 }] })
    const kept = []
    const last = []
    const fill = () => { for (let i = 0; i < 100_000; i++) kept.push(make(i)) }
    ${first}
    let marks = 0
    new PerformanceObserver(list => {
      for (const { detail } of list.getEntries()) if (detail.kind === constants.NODE_PERFORMANCE_GC_MAJOR) marks++
    }).observe({ entryTypes: ['gc'] })
    for (let turn = 0; turn < 200; turn++) {
      for (let i = 0; i < 20_000; i++) last[i % 8] = make(i)
      await new Promise(setImmediate)
    }
    console.log(marks)
    process.exit()`
  return Number(outputOf(['--max-semi-space-size=1', '--input-type=module', '--eval', program]))
}

function outputOf(words: readonly string[]): string {
  return execFileSync(process.execPath, ['--import', 'tsx', ...words], { encoding: 'utf8' }).trim()
}

/** MiB of the young generation of a process that keeps a million new objects. */
function youngGeneration(first: string): number {
  const program = `${PARTS}
    import { getHeapSpaceStatistics } from 'node:v8'
    ${first}
    const kept = []
    for (let i = 0; i < 1_000_000; i++) kept.push({ i })
    const { space_size } = getHeapSpaceStatistics().find(each => each.space_name === 'new_space')
    console.log(space_size / 2 ** 20)
    process.exit()`
  const words = ['--semi-space-growth-factor=2', '--import', 'tsx', '--input-type=module', '--eval', program]
  return Number(execFileSync(process.execPath, words, { encoding: 'utf8' }))
}

describe('late-optimizing', () => {
  it('keeps V8 from optimizing', function () {
    this.timeout(60_000)
    assert.equal(turnsIn('optimizeLater()', 50), 'as it was')
  })

  it('lets V8 optimize later', function () {
    this.timeout(60_000)
    assert.equal(turnsIn('optimizeLater(); optimizeIn(1)', 100_000), 'optimized')
  })

  it('keeps the young generation from growing, until the heap may grow', function () {
    this.timeout(60_000)
    const usual = youngGeneration('')
    const held = youngGeneration('optimizeLater()')
    const later = youngGeneration('optimizeLater(); optimizeIn(1); await wait(20); letHeapGrow(60_000)')
    assert.ok(held <= usual / 2, `${held} MiB, ${usual} MiB without it`)
    // V8 14 chooses the size by what it finds, another one each time.
    assert.ok(later > held, `${later} MiB, ${held} MiB before`)
  })

  it('pauses during a reload, half of the time at most', function () {
    this.timeout(60_000)
    assert.equal(takesCache('pauseOptimizing()'), false)
    assert.equal(takesCache('pauseOptimizing(); endPause()'), true)
    assert.equal(takesCache('pauseOptimizing(); endPause(); pauseOptimizing()'), true)
    assert.equal(takesCache('pauseOptimizing(); await wait(2500)'), true)
    assert.equal(takesCache('pauseOptimizing(); await wait(4100); pauseOptimizing()'), false)
  })

  it('goes on with it to the end of a start, whatever is reloaded', function () {
    this.timeout(60_000)
    assert.equal(takesCache('limitLateOptimizing(); optimizeLater(); pauseOptimizing(); endPause()'), false)
  })

  it('leaves garbage of the time after a start to the young generation', function () {
    this.timeout(60_000)
    const later = 'optimizeLater(); fill(); optimizeIn(1); await wait(20)'
    assert.ok(marksAfter('fill()') > 2)
    assert.equal(marksAfter(later), 0)
  })

  it('lets V8 decide sooner then, with Node.js 20', function () {
    this.timeout(60_000)
    const [usual, soon] = [callsUntilOptimized(''), callsUntilOptimized('optimizeIn(1); await wait(20)')]
    if (process.versions.v8.startsWith('11.3.')) assert.ok(soon < usual / 2, `${soon} calls, else ${usual}`)
    else assert.equal(soon, usual)
  })

  it('knows the usual budget of V8 in Node.js 20', () => {
    const options = execFileSync(process.execPath, ['--v8-options'], { encoding: 'utf8' })
    if (process.versions.v8.startsWith('11.3.')) assert.match(options, /--interrupt-budget=67584\b/)
  })
})
