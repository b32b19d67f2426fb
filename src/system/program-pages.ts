/**
 * The pages of the program's own file, Node.js, which a start reads and a running daemon does not: the snapshot of V8, tables of
 * ICU, code that runs once. They are clean, so the kernel can take them at any time, but until it does they count as resident.
 */
import { readlinkSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { openNumericLibrary } from './libc.js'

/** An area of the address space, in bytes. */
export interface Area {
  readonly from: number
  readonly length: number
}

/** <asm-generic/mman-common.h> */
const MADV_DONTNEED = 4
/**
 * Bytes between two segments of one program at most: some begin at a large page of 2 MiB. V8 maps parts of the file once more,
 * elsewhere, and may unmap these.
 */
const GAP = 2 ** 21

const HEAD = /^([0-9a-f]+)-([0-9a-f]+) (\S{4}) ([0-9a-f]+) \S+ \d+ *(.*)$/m

/**
 * Returns the read-only areas of `program` in a text of /proc/PID/smaps, proc(5), that nobody has written to: their
 * content is that of the file. Only the segments that the program was started with, which stay while it runs.
 */
export function unchangedAreas(smaps: string, program: string): readonly Area[] {
  const found: Area[] = []
  let end: number | null = null
  for (const mapping of smaps.split(/^(?=[0-9a-f]+-[0-9a-f]+ )/m)) {
    const [, first = '', last = '', rights = '', offset = '', path = ''] = HEAD.exec(mapping) ?? []
    if (path !== program) continue
    const [from, to] = [Number.parseInt(first, 16), Number.parseInt(last, 16)]
    if (end === null ? Number.parseInt(offset, 16) !== 0 : from - end >= GAP) continue
    end = to
    const isReadOnly = rights === 'r-xp' || rights === 'r--p'
    if (isReadOnly && /^Anonymous: +0 kB$/m.test(mapping)) found.push({ from, length: to - from })
  }
  return found
}

/** Takes these pages out of this process. What is needed again, the kernel maps from its cache of the file. Never rejects. */
export async function dropProgramPages(): Promise<void> {
  try {
    const smaps = await readFile('/proc/self/smaps', 'latin1')
    const areas = unchangedAreas(smaps, readlinkSync('/proc/self/exe', 'latin1'))
    const madvise = openNumericLibrary().func('int madvise(int64_t, size_t, int)')
    for (const { from, length } of areas) madvise(from, length, MADV_DONTNEED)
  } catch {
    // Without /proc they stay.
  }
}
