import assert from 'node:assert/strict'
import fc from 'fast-check'
import { command } from '../../../src/cli/commands/health.js'
import { healthQuestionOf } from '../../../src/cli/health/question.js'
import { parseLine } from '../../../src/cli/parse.js'

describe('health-question', () => {
  const plain = { services: null, socket: undefined, role: false, json: false, quiet: false }
  for (const [line, found] of [
    ['health', plain],
    ['health web,mail --role -q', { ...plain, services: 'web,mail', role: true, quiet: true }],
    ['health --socket /a --json', { ...plain, socket: '/a', json: true }],
    ['health --socket=/a -j', { ...plain, socket: '/a', json: true }],
    ['health --help', null],
    ['health -jq', null],
    ['health web mail', null],
    ['health --socket', null],
    ['health --socket -q', null],
    ['health -- web', null],
    ['status', null],
    ['', null],
  ] as const)
    it(`reads "${line}" ${found ? '' : 'not, but leaves it to the parser'}`, () => {
      assert.deepEqual(healthQuestionOf(line.split(' ')), found)
    })

  it('reads any words as the parser does, or not at all', () => {
    const word = fc.constantFrom('web', 'web,mail', '-q', '-j', '--json', '--quiet', '--role', '--socket', '')
    const other = fc.constantFrom(
      '/a',
      '--socket=/a',
      '--socket=',
      '-jq',
      '--',
      '-5',
      '--rol',
      '--json=1',
      '-',
    )
    fc.assert(
      fc.property(fc.array(fc.oneof(word, other), { maxLength: 5 }), words => {
        const question = healthQuestionOf(['health', ...words])
        if (!question) return
        const { help, options, arguments: names } = parseLine(command as never, words)
        assert.equal(help, false)
        assert.deepEqual(question, {
          services: names.SERVICE ?? null,
          socket: options.socket,
          role: options.role,
          json: options.json,
          quiet: options.quiet,
        })
      }),
    )
  })
})
