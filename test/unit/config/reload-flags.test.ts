import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { temporaryFolder } from '../../support/folder.js'

const FILE = fileURLToPath(new URL('../../../src/config/load-apart.ts', import.meta.url))

const config = (weight: number, more = '') => `services:
  web:
    virtual: '[2001:db8::1]:80'
    check: http
    reals: ['[2001:db8:1::11]:80']
  mail:
    virtual: '[2001:db8::2]:110'
    check: pop
    reals: ['[2001:db8:1::12]:110 masq ${weight}']
${more}`

/**
 * What a process has of V8 when it has read a configuration again: true if V8 refuses a code cache that was made before, because it has
 * other flags now.
 */
function hasOtherFlags(next: string): boolean {
  const file = join(temporaryFolder(), 'lvsd.yaml')
  writeFileSync(file, config(1))
  const program = `import { writeFileSync } from 'node:fs'
    import { Script } from 'node:vm'
    import { loadConfigApart } from ${JSON.stringify(FILE)}
    const file = ${JSON.stringify(file)}
    // V8 compares no more than the length of the text, and remembers a text in a process.
    const text = digit => '(function(){ return ' + digit + ' })'
    const cachedData = new Script(text(1)).createCachedData()
    const known = await loadConfigApart(file)
    writeFileSync(file, ${JSON.stringify(next)})
    const { config } = await loadConfigApart(file, {}, undefined, known)
    if (!config) throw new Error('it has problems')
    console.log(new Script(text(2), { cachedData }).cachedDataRejected)
    process.exit()`
  const words = ['--import', 'tsx', '--input-type=module', '--eval', program]
  return execFileSync(process.execPath, words, { encoding: 'utf8' }).trim() === 'true'
}

describe('V8 during a reload', () => {
  it('has flags for work that is done once, where the core reads what has changed', function () {
    this.timeout(60_000)
    assert.equal(hasOtherFlags(config(2)), true)
  })

  it('has its usual flags where a thread reads, which has a code cache', function () {
    this.timeout(60_000)
    assert.equal(hasOtherFlags(config(2, `# ${'x'.repeat(40_000)}\n`)), false)
  })
})
