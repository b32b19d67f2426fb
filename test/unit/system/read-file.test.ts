import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { readTextSoon, withPatience } from '../../../src/system/read-file.js'
import { temporaryFolder } from '../../support/folder.js'

describe('read-file: reads that may wait for a file server', () => {
  it('fails at once, without a second read, while a late read of the path has not ended', async () => {
    const begun: string[] = []
    const answers: ((text: string) => void)[] = []
    const read = withPatience(path => {
      begun.push(path)
      return new Promise(resolve => answers.push(resolve))
    }, 1)
    const late = /^Error: the file cannot be read within 0.001 s$/
    await assert.rejects(read('/mnt/a', 10), late)
    for (let i = 0; i < 5; i++) await assert.rejects(read('/mnt/a', 10), /an earlier attempt has not ended/)
    await assert.rejects(read('/mnt/b', 10), late)
    assert.deepEqual(begun, ['/mnt/a', '/mnt/b'])
    for (const answer of answers) answer('late')
    await new Promise(setImmediate)
    await assert.rejects(read('/mnt/a', 10), late)
    assert.equal(begun.length, 3)
    answers.at(-1)?.('late')
  })

  it('reads a file, and says in a sentence why it cannot', async () => {
    const file = join(temporaryFolder(), 'site.yaml')
    await assert.rejects(readTextSoon(file), /^Error: there is no such file$/)
    writeFileSync(file, 'one')
    assert.equal(await readTextSoon(file), 'one')
    await assert.rejects(readTextSoon(file, 2), /^Error: the file has more than/)
  })
})
