import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { digestOf } from '../../../src/watch/digest.js'
import { type FileReader, pooled } from '../../../src/watch/file-readers.js'
import { openLooks } from '../../../src/watch/looks.js'
import { onCleanup } from '../../support/after-each.js'
import { temporaryFolder } from '../../support/folder.js'

/** Looks at one file whose status is answered `delay` milliseconds late, each time. */
function stage(delay: number, hangs: number) {
  const file = join(temporaryFolder(), 'site.yaml')
  writeFileSync(file, 'one')
  let asked = 0
  const late: FileReader = {
    ...pooled,
    async status(path) {
      asked++
      await new Promise(resolve => setTimeout(resolve, delay))
      return pooled.status(path)
    },
  }
  const looks = openLooks({ files: late, hangs })
  onCleanup(() => looks.close())
  const look = () => looks.look({ file, included: [], patterns: [] }, '')
  return { file, look, asked: () => asked }
}

describe('looks: looks at the files of a configuration', () => {
  it('use libuv’s threads as long as none has hung', async () => {
    const { file, look, asked } = stage(0, 60_000)
    const { digest } = await look()
    await look()
    assert.equal(digest, digestOf([{ path: file, text: 'one' }]))
    assert.equal(asked(), 2)
  })

  it('are made in a thread of their own after one that hung', async () => {
    const { file, look, asked } = stage(20, 10)
    await look()
    writeFileSync(file, 'two')
    assert.equal((await look()).digest, digestOf([{ path: file, text: 'two' }]))
    assert.equal(asked(), 1)
  })
})
