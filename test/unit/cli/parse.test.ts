import assert from 'node:assert/strict'
import { CommandError, defineCommand, EXIT } from '../../../src/cli/command.js'
import { parseLine } from '../../../src/cli/parse.js'

const command = defineCommand({
  name: 'sample',
  summary: 'A sample',
  details: '',
  arguments: { CONFIG: { about: 'a file' }, SERVICE: { about: 'a name', optional: true } },
  options: {
    json: { short: 'j', about: 'JSON' },
    kernel: { value: 'TABLE', choices: ['netlink', 'memory'], default: 'netlink', about: 'which table' },
    socket: { short: 's', value: 'PATH', about: 'where' },
    watch: { short: 'w', value: '[SECONDS]', default: '1', about: 'again and again' },
  },
  examples: [],
  run: async () => EXIT.ok,
})

const defaults = { json: false, kernel: 'netlink', socket: undefined, watch: undefined }

const weight = defineCommand({
  ...{ name: 'weight', summary: 'A number', details: '', options: {}, examples: [] },
  run: async () => EXIT.ok,
  arguments: { TARGET: { about: 'a server' }, WEIGHT: { about: '0 to 9', isNumber: true } },
})

describe('parse: a command line', () => {
  it('takes -5 where a command expects a number, which says what is wrong with it, and nowhere else', () => {
    assert.deepEqual(parseLine(weight, ['web', '-5']).arguments, { TARGET: 'web', WEIGHT: '-5' })
    assert.throws(() => parseLine(weight, ['-5', '5']), /-5 is not an option/)
    assert.throws(() => parseLine(weight, ['web', '-x']), /-x is not an option/)
  })

  const good: [words: string[], options: object, args: object][] = [
    [['a.yaml'], {}, { CONFIG: 'a.yaml', SERVICE: undefined }],
    [['a.yaml', 'web', '--json'], { json: true }, { CONFIG: 'a.yaml', SERVICE: 'web' }],
    [
      ['-j', 'a.yaml', '--kernel=memory'],
      { json: true, kernel: 'memory' },
      { CONFIG: 'a.yaml', SERVICE: undefined },
    ],
    [['a.yaml', '--watch'], { watch: '1' }, { CONFIG: 'a.yaml', SERVICE: undefined }],
    [['-w', 'a.yaml'], { watch: '1' }, { CONFIG: 'a.yaml', SERVICE: undefined }],
    [['--watch', '2.5', 'a.yaml'], { watch: '2.5' }, { CONFIG: 'a.yaml', SERVICE: undefined }],
    [['a.yaml', '--watch=3'], { watch: '3' }, { CONFIG: 'a.yaml', SERVICE: undefined }],
    [['a.yaml', '-jw'], { json: true, watch: '1' }, { CONFIG: 'a.yaml', SERVICE: undefined }],
    [['-jw2', 'a.yaml'], { json: true, watch: '2' }, { CONFIG: 'a.yaml', SERVICE: undefined }],
    [['a.yaml', '--socket=/run/x', 'web'], { socket: '/run/x' }, { CONFIG: 'a.yaml', SERVICE: 'web' }],
    [
      ['--kernel', 'memory', 'a.yaml', '--kernel=netlink'],
      { kernel: 'netlink' },
      { CONFIG: 'a.yaml', SERVICE: undefined },
    ],
    [['a.yaml', '-s', '/run/x'], { socket: '/run/x' }, { CONFIG: 'a.yaml', SERVICE: undefined }],
    [['a', '--socket=-x'], { socket: '-x' }, { CONFIG: 'a', SERVICE: undefined }],
    [['a', '--socket=-5', '-j'], { socket: '-5', json: true }, { CONFIG: 'a', SERVICE: undefined }],
    [['a', '--socket', '-'], { socket: '-' }, { CONFIG: 'a', SERVICE: undefined }],
    [['--', '-odd.yaml', '--watch'], {}, { CONFIG: '-odd.yaml', SERVICE: '--watch' }],
  ]
  for (const [words, options, args] of good)
    it(`takes ${words.join(' ')}`, () => {
      const line = parseLine(command, words)
      assert.deepEqual({ ...line.options }, { ...defaults, ...options })
      assert.deepEqual(line.arguments, args)
    })

  const bad: [words: string[], sentence: RegExp][] = [
    [[], /^lvsd sample needs CONFIG: a file/],
    [['a', 'b', 'c'], /^"c" is one argument too many/],
    [['a', '--jsn'], /^--jsn is not an option of lvsd sample; did you mean "--json"\?/],
    [['a', '-x'], /^-x is not an option/],
    [['-5'], /^-5 is not an option/],
    [['a', 'b', '-5'], /^-5 is not an option/],
    [['a', '-j5'], /^-5 is not an option/],
    [['a', '--constructor'], /^--constructor is not an option/],
    [['a', '--__proto__'], /^--__proto__ is not an option/],
    [['a', '--kernel', 'memry'], /^--kernel takes netlink, memory, not "memry"; did you mean "memory"\?/],
    [['a', '--kernel'], /^--kernel needs a value: --kernel TABLE/],
    [['a', '--socket', '--json'], /^--socket needs a value: --socket PATH\n/],
    [
      ['a', '--socket', '-x'],
      /^--socket needs a value: .*; a value that begins with - follows =: --socket=-x\n/,
    ],
    [['a', '-s', '-5'], /^--socket needs a value/],
    [['a', '--socket='], /^--socket needs a value/],
    [['a', '--json=yes'], /^--json takes no value/],
    [['a', '--json='], /^--json takes no value/],
    [['a', '--kernl=memory'], /^--kernl is not an option of lvsd sample; did you mean "--kernel"\?/],
    [['a', '--socket', ''], /^--socket needs a value: --socket PATH/],
    [['a', '-s'], /^--socket needs a value: --socket PATH/],
    [['a', '--watch', '-1'], /^--watch takes a number, not "-1"/],
    [['a', '--watch=often'], /^--watch takes a number, not "often"/],
  ]
  for (const [words, sentence] of bad)
    it(`refuses ${words.join(' ') || 'nothing at all'} in one sentence`, () => {
      assert.throws(
        () => parseLine(command, words),
        error => {
          assert.ok(error instanceof CommandError)
          assert.equal(error.exit, EXIT.usage)
          assert.match(error.message, sentence)
          assert.match(error.message, /\nTry: lvsd sample --help$/)
          return true
        },
      )
    })

  for (const words of [
    ['--help'],
    ['-h'],
    ['-jh'],
    ['a', 'b', 'c', '--nonsense', '--help'],
    ['a', '--kernel', 'memry', '-h'],
  ])
    it(`gives help for ${words.join(' ')}`, () => assert.equal(parseLine(command, words).help, true))

  it('gives no help behind --', () => {
    assert.deepEqual(parseLine(command, ['--', '--help']).arguments, { CONFIG: '--help', SERVICE: undefined })
  })
})
