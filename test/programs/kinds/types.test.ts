/** `import('lvsd/check')` in a user's folder, as checks/README.md says, against the package as it is installed. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { packageRoot } from '../../../src/system/version.js'
import { temporaryFolder } from '../../support/folder.js'

const TYPED = `import { defineCheck, down, up } from 'lvsd/check'

export const check = defineCheck({
  name: 'typed',
  summary: 'is typed',
  options: kit => ({
    most: kit.number(10, 'Most'),
    word: kit.choice(['a', 'b'], 'a', 'A word'),
    passwd: kit.secret(null, 'A password'),
  }),
  validate: ({ most, word }) => (most > 5 && word === 'b' ? 'no' : null),
  async run({ address, port }, options, { signal, phase }) {
    phase('think')
    // @ts-expect-error There is no such option.
    const { nothing } = options
    const word: 'a' | 'b' = options.word
    const passwd: string | null = options.passwd
    return port > options.most ? up(address.text) : down('not-green', [signal.aborted, word, passwd, nothing].join())
  },
})
`

describe('types of lvsd/check', function () {
  this.timeout(120_000)

  it("are found by a user's own file, in TypeScript and in JavaScript", () => {
    const { lvsd, checks } = installed()
    mkdirSync(join(checks, 'node_modules'))
    symlinkSync(lvsd, join(checks, 'node_modules/lvsd'))
    writeFileSync(join(checks, 'typed.mts'), TYPED)
    writeFileSync(join(checks, 'lag.mjs'), lag())
    const types = ['--types', 'node', '--typeRoots', join(packageRoot, 'node_modules/@types')]
    const flags = [
      '--module',
      'nodenext',
      '--target',
      'es2023',
      '--strict',
      '--noEmit',
      '--allowJs',
      '--checkJs',
    ]
    assert.equal(tsc([...flags, ...types, 'typed.mts', 'lag.mjs'], checks), '')
    writeFileSync(join(checks, 'lag.mjs'), lag().replace("reason: 'closed'", 'reason: 5'))
    assert.match(tsc([...flags, ...types, 'lag.mjs'], checks), /lag\.mjs\(\d+,\d+\): error TS2322/)
  })
})

/** The package as a clone that has been built, and a folder for checks beside it. */
function installed() {
  const root = temporaryFolder()
  const [lvsd, checks] = [join(root, 'lvsd'), join(root, 'checks')]
  mkdirSync(lvsd)
  mkdirSync(checks)
  for (const name of ['package.json', 'node_modules']) symlinkSync(join(packageRoot, name), join(lvsd, name))
  const flags = ['--module', 'nodenext', '--target', 'es2023', '--strict', '--declaration', '--skipLibCheck']
  const places = ['--rootDir', '.', '--outDir', join(lvsd, 'dist')]
  assert.equal(tsc([...flags, ...places, '--ignoreConfig', 'src/check/check.ts'], packageRoot), '')
  return { lvsd, checks }
}

function lag(): string {
  const readme = readFileSync(join(packageRoot, 'checks/README.md'), 'utf8')
  return readme.split('`/etc/lvsd/checks/lag.mjs`\n\n```js\n')[1]?.split('```')[0] ?? ''
}

/** What it says. */
function tsc(argv: readonly string[], cwd: string): string {
  const program = join(packageRoot, 'node_modules/typescript/bin/tsc')
  const { stdout, stderr } = spawnSync(process.execPath, [program, ...argv], {
    cwd,
    encoding: 'utf8',
    timeout: 100_000,
  })
  return stdout + stderr
}
