import assert from 'node:assert/strict'
import { readFileSync, readlinkSync } from 'node:fs'
import { dropProgramPages, unchangedAreas } from '../../../src/system/program-pages.js'

/** A mapping as proc(5) shows it, with the pages of it that are not those of its file, in kB. */
const mapping = (head: string, anonymous = 0) =>
  `${head}\nSize:   4 kB\nRss:   4 kB\nAnonymous:   ${anonymous} kB\nVmFlags: rd mr mw me\n`

const NODE = '/usr/bin/node'
const SEGMENTS = [
  mapping(`00400000-00b6f000 r--p 00000000 fe:00 260689       ${NODE}`),
  mapping(`00b70000-025fe000 r-xp 00770000 fe:00 260689       ${NODE}`),
  mapping(`0563a000-0563e000 r--p 05239000 fe:00 260689       ${NODE}`, 8),
  mapping(`0563e000-0565d000 rw-p 0523d000 fe:00 260689       ${NODE}`, 92),
]
const HEAP = mapping('068a2000-06b41000 rw-p 00000000 00:00 0       [heap]', 4)
const AREAS = [
  { from: 0x40_0000, length: 0x76_f000 },
  { from: 0xb7_0000, length: 0x1a8_e000 },
]

describe('program-pages: areas of the program that can be mapped again', () => {
  it('are read-only, and as in the file', () => {
    assert.deepEqual(unchangedAreas([...SEGMENTS, HEAP].join(''), NODE), AREAS)
  })

  it('are also those after a segment that begins at a large page, as in Node.js 22 and 24', () => {
    const [head, code, last] = [
      mapping(`00e3c000-032fc000 r-xp 00a3c000 fe:00 260689       ${NODE}`),
      mapping(`03400000-03401000 r-xp 03000000 fe:00 260689       ${NODE}`),
      mapping(`03401000-06b18000 r--p 03001000 fe:00 260689       ${NODE}`),
    ]
    const first = mapping(`00400000-00e38000 r--p 00000000 fe:00 260689       ${NODE}`)
    const found = unchangedAreas([first, head, code, last].join(''), NODE)
    assert.deepEqual(
      found.map(({ from }) => from),
      [0x40_0000, 0xe3_c000, 0x340_0000, 0x340_1000],
    )
  })

  it('are those of a program whose file has been replaced', () => {
    const replaced = SEGMENTS.join('').replaceAll(NODE, `${NODE} (deleted)`)
    assert.deepEqual(unchangedAreas(replaced, `${NODE} (deleted)`), AREAS)
    assert.deepEqual(unchangedAreas(replaced, NODE), [])
  })

  it('are not those of libraries, and none that V8 has mapped elsewhere, which it may unmap', () => {
    const others = [
      mapping('7f0000000000-7f0000200000 r-xp 00000000 fe:00 7       /usr/lib/libc.so.6'),
      mapping(`7f66c7e40000-7f66c7fd2000 r-xp 014c4000 fe:00 260689       ${NODE}`),
    ]
    assert.deepEqual(unchangedAreas([...SEGMENTS, ...others].join(''), NODE), AREAS)
    assert.deepEqual(unchangedAreas(others.join(''), NODE), [])
  })

  it('are none where /proc says something else', () => {
    for (const text of ['', 'x', '0-1', SEGMENTS.join('').replaceAll('Anonymous', 'Other')])
      assert.deepEqual(unchangedAreas(text, NODE), [])
  })
})

describe('program-pages: this process', () => {
  /** kB of the read-only parts of the program's file that are resident. */
  function resident(): number {
    const program = readlinkSync('/proc/self/exe')
    const mappings = readFileSync('/proc/self/smaps', 'latin1').split(/^(?=[0-9a-f]+-[0-9a-f]+ )/m)
    return mappings
      .filter(text => / r--p .*\n/.test(text) && text.includes(` ${program}\n`))
      .reduce((sum, text) => sum + Number(/^Rss: +(\d+)/m.exec(text)?.[1]), 0)
  }

  it('holds fewer pages of its program afterwards, and runs on', async () => {
    const before = resident()
    await dropProgramPages()
    const after = resident()
    assert.ok(after < before / 2, `${after} kB, ${before} kB before`)
    assert.equal(new Intl.NumberFormat('de').format(1234.5), '1.234,5')
  })
})
