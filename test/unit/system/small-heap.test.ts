import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const FILE = fileURLToPath(new URL('../../../src/system/small-heap.ts', import.meta.url))

/** MiB of the heap, at most, of a process that replaces each of 100,000 objects again and again. */
function mostHeap(first: string): number {
  const program = `${first}
    let most = 0
    const kept = []
    for (let i = 0; i < 6_000_000; i++) {
      kept[(i * 7919) % 100_000] = { i, part: [i, i] }
      if (i % 10_000 === 0) most = Math.max(most, process.memoryUsage().heapTotal)
    }
    console.log(most / 2 ** 20)`
  return Number(outputOf(program))
}

/** How often all is collected while 60,000 objects are made that live on, in 300 turns. */
function collectionsOf(first: string): number {
  const program = `import { PerformanceObserver, constants } from 'node:perf_hooks'
    const kept = Array.from({ length: 300_000 }, (_, i) => ({ i, part: [i, i] }))
    let count = 0
    new PerformanceObserver(list => {
      for (const { detail } of list.getEntries()) if (detail.kind === constants.NODE_PERFORMANCE_GC_MAJOR) count++
    }).observe({ entryTypes: ['gc'] })
    ${first}
    for (let turn = 0; turn < 300; turn++) {
      for (let i = 0; i < 200; i++) kept.push({ i, part: [i, i] })
      await new Promise(end => setTimeout(end, 10))
    }
    console.log(count)
    process.exit()`
  return Number(outputOf(program))
}

/**
 * MiB in use when a process has let go of 200,000 objects that grow old, and what of the old generation is in use when it has made many
 * that do not. V8 does not collect them by itself: the heap is large from the beginning.
 */
function heldAfter(first: string, then: string): { readonly made: number; readonly left: number } {
  const program = `import { getHeapSpaceStatistics } from 'node:v8'
    ${first}
    let kept = []
    for (let i = 0; i < 200_000; i++) kept.push({ i, part: [i, i] })
    kept = []
    const made = process.memoryUsage().heapUsed / 2 ** 20
    ${then}
    for (let turn = 0; turn < 100; turn++) {
      for (let i = 0; i < 20_000; i++) kept[i % 8] = { i, part: [i, i] }
      await new Promise(setImmediate)
    }
    const old = getHeapSpaceStatistics().filter(({ space_name }) => !space_name.startsWith('new_'))
    const left = old.reduce((sum, { space_used_size }) => sum + space_used_size, 0) / 2 ** 20
    console.log(JSON.stringify({ made, left }))
    process.exit()`
  return JSON.parse(outputOf(program, ['--initial-heap-size=512']))
}

/** What V8 tells of collections of all garbage while 30 MB are made that live on, after one such collection. */
function collectionsTold(first: string): string[] {
  const program = `import { PerformanceObserver, constants } from 'node:perf_hooks'
    import { setFlagsFromString } from 'node:v8'
    const kept = []
    const make = async turns => {
      for (let turn = 0; turn < turns; turn++) {
        for (let i = 0; i < 2000; i++) kept.push({ i, part: [i, i] })
        await new Promise(setImmediate)
      }
    }
    ${first}
    await make(50)
    let isCollected = false
    new PerformanceObserver(list => {
      for (const { detail } of list.getEntries()) if (detail.kind === constants.NODE_PERFORMANCE_GC_MAJOR) isCollected = true
    }).observe({ entryTypes: ['gc'] })
    await new Promise(end => setTimeout(end, 300))
    for (let i = 0; i < 100 && !isCollected; i++) await make(1)
    if (!isCollected) throw new Error('nothing has been collected')
    setFlagsFromString('--trace-gc')
    await make(150)
    process.exit()`
  return outputOf(program)
    .split('\n')
    .filter(line => line.includes('Mark-Compact'))
}

function outputOf(program: string, flags: readonly string[] = []): string {
  const words = [...flags, '--import', 'tsx', '--input-type=module', '--eval', program]
  return execFileSync(process.execPath, words, { encoding: 'utf8' })
}

describe('small-heap', () => {
  it('keeps the heap near to what is in use', function () {
    this.timeout(120_000)
    const small = mostHeap(`import { keepHeapSmall } from ${JSON.stringify(FILE)}; keepHeapSmall()`)
    const usual = mostHeap(`import ${JSON.stringify(FILE)}`)
    assert.ok(small < 0.8 * usual, `${small} MiB, ${usual} MiB without it`)
  })

  it('lets it grow for a while, and keeps it near to what is in use afterwards', function () {
    this.timeout(120_000)
    const functions = `import { keepHeapSmall, letHeapGrow } from ${JSON.stringify(FILE)}`
    const grown = mostHeap(`${functions}; keepHeapSmall(); letHeapGrow(60_000)`)
    const small = mostHeap(`${functions}; letHeapGrow(1)\nawait new Promise(end => setTimeout(end, 100))`)
    assert.ok(small < 0.8 * grown, `${small} MiB, ${grown} MiB before`)
  })

  it('has the garbage of that time collected, though what follows leaves none', function () {
    this.timeout(120_000)
    const functions = `import { keepHeapSmall, letHeapGrow } from ${JSON.stringify(FILE)}`
    const { made, left } = heldAfter(
      `${functions}; letHeapGrow(2000)`,
      'await new Promise(end => setTimeout(end, 2500))',
    )
    assert.ok(left < made - 10, `${left} MiB of ${made}`)
  })

  it('has all of it collected no more than once then, whatever is made', function () {
    this.timeout(120_000)
    const functions = `import { keepHeapSmall, letHeapGrow } from ${JSON.stringify(FILE)}`
    const wait = 'await new Promise(end => setTimeout(end, 300))'
    // None where the process ends before; a dozen if V8 went on.
    const count = collectionsOf(`${functions}; letHeapGrow(1); ${wait}`)
    assert.ok(count <= 1, `${count}`)
  })

  it('lets V8 end each marking from then on, and move little', function () {
    this.timeout(120_000)
    const all = collectionsTold(`import { letHeapGrow } from ${JSON.stringify(FILE)}; letHeapGrow(1)`)
    assert.ok(all.length > 0)
    assert.deepEqual(
      all.filter(line => line.includes('(reduce)')),
      [],
    )
  })

  it('lets V8 take a code cache while the heap may grow', function () {
    this.timeout(60_000)
    const program = `import { keepHeapSmall, letHeapGrow } from ${JSON.stringify(FILE)}
      import { Script } from 'node:vm'
      // V8 compares no more than the length of the text, and remembers a text in a process.
      const text = digit => '(function(){ return ' + digit + ' })'
      const cachedData = new Script(text(1)).createCachedData()
      keepHeapSmall()
      letHeapGrow(60_000)
      console.log(new Script(text(2), { cachedData }).cachedDataRejected)`
    assert.equal(outputOf(program).trim(), 'false')
  })
})
