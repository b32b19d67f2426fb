/** Mistakes in an included file: each problem names this file. */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { loadConfig } from '../../../src/config/load.js'
import { renderProblems } from '../../../src/config/problems/render-problem.js'
import { temporaryFolder } from '../../support/folder.js'

const FOLDER = new URL('../../fixtures/broken/', import.meta.url).pathname

/** Parts that only the main file has. */
const OF_MAIN = /^(?:cluster|connectivity):/m
/** Fixtures whose mistake is none, or another one, in a file that is not the whole configuration. */
const OF_WHOLE = ['empty', 'ldirectord-in-yaml', 'no-services', 'no-services-at-all', 'services-as-list']

/** Its service makes no problem, and is none of the fixtures'. */
const MAIN = `include: part.yaml
services:
  whole: { virtual: '[2001:db8:77::1]:77', check: none, reals: ['[2001:db8:77::2]'] }
`

/** Loads a configuration that includes the text as `part.yaml`. */
async function included(text: string) {
  const folder = temporaryFolder()
  writeFileSync(join(folder, 'part.yaml'), text)
  writeFileSync(join(folder, 'site.yaml'), MAIN)
  const loaded = await loadConfig(join(folder, 'site.yaml'))
  const told = loaded.problems.map(
    ({ code, file, at }) => `${file.replace(`${folder}/`, '')}:${at.line}:${at.column} ${code}`,
  )
  return { ...loaded, told }
}

describe('broken: one mistake in an included file', () => {
  for (const file of readdirSync(FOLDER).sort()) {
    const name = file.replace('.yaml', '')
    const text = readFileSync(FOLDER + file, 'utf8')
    if (!OF_MAIN.test(text) && !OF_WHOLE.includes(name))
      it(`is told with that file: ${name.replaceAll('-', ' ')}`, async () => {
        const [, code, place] = /^# (\w+) (\d+:\d+)$/m.exec(text) ?? []
        assert.deepEqual((await included(text)).told, [`part.yaml:${place} ${code}`])
      })
  }

  /** Keys of the service, with a short form that is wrong at its last line; the column and the code of the mistake. */
  const SHORT: readonly [lines: string, problem: string][] = [
    ["    reals:\n      - '[2001:db8::1]:18o83'", '10 BAD_PORT'],
    ["    reals:\n      - '[2001:db8::1]:80 mask'", '27 UNKNOWN_WORD'],
    ["    reals:\n      - '[2001:db8::1]:80 masq heavy'", '32 BAD_REAL'],
    ["    reals:\n      - '[2001:db8::1]:80 masq 99999999999'", '32 OUT_OF_RANGE'],
    ["    reals:\n      - '[2001:db8::g]:80'", '10 BAD_ADDRESS'],
    ["    reals:\n      - '2001:db8::1:18080'", '10 BRACKETS_NEEDED'],
    ["    reals:\n      - '192.0.2.1:80'", '10 FAMILY_MISMATCH'],
    ["    reals:\n      - '[2001:db8:1::1]:80'\n      - '[2001:db8:1::1]:80'", '10 DUPLICATE_REAL'],
    ["    reals:\n      - '[2001:db8:1::1]:80'\n      - '[::1]:80'", '10 LOOPBACK'],
    ["    reals: ['[2001:db8:1::1]:80']\n    fallback: '[2001:db8::2]:80 nat'", '33 UNKNOWN_WORD'],
    ["    reals: ['[2001:db8:1::1]:80']\n    fallback: '[2001:db8::2]:8o'", '16 BAD_PORT'],
  ]
  /** As many real servers as make a list whose items are read without the library. */
  const others = Array.from({ length: 200 }, (_, i) => `      - '[2001:db8:2::${i + 1}]:80 masq 1'\n`).join(
    '',
  )

  for (const [lines, problem] of SHORT)
    for (const where of ['alone', 'in a long list'])
      it(`is told with that file, ${where}: ${lines.trim().split('\n').at(-1)?.trim()}`, async () => {
        const long = where === 'alone' ? lines : lines.replace('reals:\n', `reals:\n${others}`)
        const text = `services:\n  web:\n    virtual: '[2001:db8::80]:80'\n    check: none\n${long}\n`
        const { told, ...loaded } = await included(text)
        const [last = '', ...more] = told.filter(one => !one.includes('MIXED_FAMILY'))
        assert.deepEqual([last, ...more], [`part.yaml:${text.split('\n').length - 1}:${problem}`])
        const line = lines.split('\n').at(-1)?.trim() ?? ''
        assert.ok(renderProblems(loaded).includes(line), 'the line of that file is shown')
      })
})
