import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const FILE = fileURLToPath(new URL('../../../src/system/small-malloc.ts', import.meta.url))

/**
 * MiB that a process still holds of 25 MiB in small pieces that it has freed. Before, it has freed one large piece, after which
 * glibc keeps up to twice its size.
 */
function kept(first: string): number {
  const program = `import koffi from 'koffi'
    ${first}
    const lib = koffi.load(null)
    const malloc = lib.func('int64_t malloc(size_t)')
    const free = lib.func('void free(int64_t)')
    free(malloc(30 * 2 ** 20))
    const before = process.memoryUsage.rss()
    const fill = lib.func('int64_t memset(int64_t, int, size_t)')
    const pieces = Array.from({ length: 400 }, () => fill(malloc(65_536), 1, 65_536))
    for (const piece of pieces) free(piece)
    console.log((process.memoryUsage.rss() - before) / 2 ** 20)`
  const words = ['--import', 'tsx', '--input-type=module', '--eval', program]
  return Number(execFileSync(process.execPath, words, { encoding: 'utf8' }))
}

describe('small-malloc', () => {
  it('returns free memory to the kernel', function () {
    this.timeout(120_000)
    const usual = kept('')
    // Another C library returns it anyway.
    if (usual < 15) return this.skip()
    // What something else of the process takes at the end of the heap meanwhile keeps the rest there.
    const small: number[] = []
    const isReturned = () => small.some(mib => mib < usual - 15)
    while (!isReturned() && small.length < 3)
      small.push(kept(`import { keepMallocSmall } from ${JSON.stringify(FILE)}; keepMallocSmall()`))
    assert.ok(isReturned(), `${small.join(' and ')} MiB, ${usual} MiB without it`)
  })
})
