import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const FILE = fileURLToPath(new URL('../../../src/system/late-optimizing.ts', import.meta.url))

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

/** MiB of the young generation of a process that keeps a million new objects. */
function youngGeneration(first: string): number {
  const program = `import { setTimeout as wait } from 'node:timers/promises'
    import { getHeapSpaceStatistics } from 'node:v8'
    import * as lateOptimizing from ${JSON.stringify(FILE)}
    const { optimizeLater, optimizeIn, limitLateOptimizing, pauseOptimizing, endPause } = lateOptimizing
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

  it('keeps the young generation from growing, until V8 optimizes again', function () {
    this.timeout(60_000)
    const usual = youngGeneration('')
    const held = youngGeneration('optimizeLater()')
    const later = youngGeneration('optimizeLater(); optimizeIn(1); await wait(20)')
    assert.ok(held <= usual / 2, `${held} MiB, ${usual} MiB without it`)
    assert.equal(later, usual)
  })

  it('does so during a reload, half of the time at most', function () {
    this.timeout(60_000)
    const usual = youngGeneration('')
    const held = youngGeneration('optimizeIn(1); await wait(20); pauseOptimizing()')
    assert.ok(held <= usual / 2, `${held} MiB, ${usual} MiB without it`)
    assert.equal(youngGeneration('pauseOptimizing(); endPause()'), usual)
    assert.equal(youngGeneration('pauseOptimizing(); endPause(); pauseOptimizing()'), usual)
    assert.equal(youngGeneration('pauseOptimizing(); await wait(2500)'), usual)
    assert.equal(youngGeneration('pauseOptimizing(); await wait(4100); pauseOptimizing()'), held)
  })

  it('goes on with it to the end of a start, whatever is reloaded', function () {
    this.timeout(60_000)
    const held = youngGeneration('optimizeLater()')
    const start = 'limitLateOptimizing(); optimizeLater()'
    assert.equal(youngGeneration(`${start}; pauseOptimizing(); endPause()`), held)
  })

  it('knows the usual growth of a young generation', () => {
    const options = execFileSync(process.execPath, ['--v8-options'], { encoding: 'utf8' })
    assert.match(options, /--semi-space-growth-factor=2\b/)
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
