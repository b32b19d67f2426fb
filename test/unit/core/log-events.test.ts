/** The names of log lines: all are of one form, and none is without a line. That no line is without a name the compiler sees to. */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { LDIRECTORD_EVENTS, LOG_EVENTS } from '../../../src/core/log-events.js'
import { packageRoot } from '../../../src/system/version.js'

const ALL = Object.entries({ ...LOG_EVENTS, ...LDIRECTORD_EVENTS })

function usesIn(folder: string, isMeant: (file: string) => boolean): string {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter(file => file.endsWith('.ts') && !file.startsWith('core/log-events') && isMeant(file))
    .map(file => readFileSync(join(folder, file), 'utf8'))
    .join('\n')
}

describe('log-events: the name of a log line', () => {
  const src = join(packageRoot, 'src')

  it('is a subject and what happened to it, in lower case', () => {
    for (const [event] of ALL) assert.match(event, /^[a-z]+\.[a-z]+(-[a-z]+)*$/)
  })

  it('is used somewhere in src/', () => {
    const uses = usesIn(src, () => true)
    for (const [event] of ALL) assert.ok(uses.includes(`'${event}'`), `no line is a ${event}`)
  })

  it('stands in config/reference.md unless the command ldirectord alone has the line', () => {
    const uses = usesIn(src, file => !file.startsWith('ldirectord-command/'))
    for (const event of Object.keys(LDIRECTORD_EVENTS)) assert.ok(!uses.includes(`'${event}'`), event)
  })

  it('has fields that are named once, and a sentence that names no line that is not there', () => {
    for (const [event, { about, fields }] of ALL) {
      assert.equal(new Set<string>(fields).size, fields.length, event)
      assert.match(about, /^\S.*\.$/)
      for (const [, other = ''] of about.matchAll(/`([a-z]+\.[a-z-]+)`/g))
        assert.ok(Object.hasOwn(LOG_EVENTS, other), `${event}: ${other}`)
      if (about.startsWith('The end of ')) assert.match(about, /^The end of `[a-z]+\.[a-z-]+`/, event)
    }
  })
})
