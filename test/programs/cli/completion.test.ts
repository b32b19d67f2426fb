/** Each real shell completes by the script that lvsd prints, with names of a daemon that runs. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { chmodSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { fetchTargets } from '../../../src/api/client.js'
import { openControlSocket } from '../../../src/api/server.js'
import { onCleanup } from '../../support/after-each.js'
import { programOr } from '../../support/checks/programs.js'
import { installed } from '../../support/compile.js'
import { controlOf } from '../../support/control.js'
import { temporaryFolder } from '../../support/folder.js'

const MAIN = installed('main')
const SITE = [
  { service: 'web', reals: ['[fd00::3]:80', '[fd00::4]:80'] },
  { service: 'mail', reals: ['192.0.2.1:25'] },
]

/** Of each shell: a script that prints what completes the line in $1, one on a line. */
const SHELLS: Readonly<Record<string, string>> = {
  bash: `source $SCRIPT
    COMP_LINE=$1 COMP_POINT=\${#1} COMP_WORDBREAKS=$' \\t\\n"\\'><=;|&(:'
    compopt() { :; }
    _lvsd; printf '%s\\n' "\${COMPREPLY[@]}"`,
  // Outside of a terminal zsh has no completion: its functions are replaced by ones that print.
  zsh: `compdef() { :; }; source $SCRIPT
    compadd() { local shown=("\${(@)@[$@[(i)--]+1,-1]}"); [[ $1 == -a ]] && shown=("\${(@P)2}"); print -rl -- $shown }
    _describe() { print -rl -- \${\${(P)2}%%:*} }
    _files() { print -r -- files }
    words=("\${(z)1}"); [[ $1 == *' ' ]] && words+=(''); CURRENT=$#words PREFIX=$words[-1]
    _lvsd`,
  fish: 'source $SCRIPT; complete -C $argv[1] | string replace -r "\\t.*" ""; true',
}

/** Words that must be among those that complete the line; all begin with the word that is begun. */
const ROWS: [line: string, expected: readonly string[]][] = [
  ['lvsd dr', ['drain']],
  ['lvsd drain --for 2h w', ['web', 'web/']],
  ['lvsd force web up --re', ['--reason']],
  ['lvsd drain mail --then ', ['disable']],
  ['lvsd drain mail/', ['mail/192.0.2.1:25']],
  ['lvsd status mail ', ['192.0.2.1:25']],
]

describe('completion: a line in a real shell', function () {
  this.timeout(60_000)

  for (const shell of Object.keys(SHELLS))
    it(`is completed by ${shell}`, async function () {
      const path = programOr(() => this.skip(), shell, shell)
      const complete = await completer(shell, path)
      for (const [line, expected] of ROWS) {
        const found = await complete(line)
        assert.deepEqual(
          expected.filter(word => !found.includes(word)),
          [],
          `${line}: ${found}`,
        )
      }
    })

  it('quotes brackets in bash, and continues in an open quote and after a colon', async () => {
    const complete = await completer('bash', 'bash')
    assert.deepEqual(await complete('lvsd drain web/'), ["'web/[fd00::3]:80'", "'web/[fd00::4]:80'"])
    assert.deepEqual(await complete("lvsd drain 'web/[fd00::3"), ['web/[fd00::3]:80'])
    assert.deepEqual(await complete('lvsd drain web/fd00::4'), ['4'])
  })

  it('is quick and silent where no lvsd runs', async () => {
    const began = performance.now()
    const { stdout, stderr } = await promisify(execFile)(process.execPath, [
      MAIN,
      'completion',
      'words',
      '--socket=/none',
    ])
    assert.deepEqual([stdout, stderr], ['', ''])
    assert.ok(performance.now() - began < 5000)
  })
})

async function completer(name: string, shell: string): Promise<(line: string) => Promise<string[]>> {
  const folder = temporaryFolder()
  const [socket, program] = [join(folder, 'lvsd.sock'), join(folder, 'lvsd')]
  const why = { targets: async () => SITE, explain: async () => '' }
  const opened = await openControlSocket(socket, controlOf({ why }))
  onCleanup(() => opened.close())
  // The first answer of a process takes longer, on a busy machine longer than a shell waits.
  await fetchTargets(socket)
  writeFileSync(program, `#!/bin/sh\nexec ${process.execPath} ${MAIN} "$@"\n`)
  chmodSync(program, 0o755)
  const env = {
    ...process.env,
    PATH: `${folder}:${process.env.PATH}`,
    LVSD_SOCKET: socket,
    SCRIPT: join(folder, 'script'),
  }
  const { stdout: script } = await promisify(execFile)(program, ['completion', name])
  writeFileSync(env.SCRIPT, script)
  const words = (line: string) =>
    name === 'fish' ? ['-c', SHELLS.fish ?? '', line] : ['-c', SHELLS[name] ?? '', 'test', line]
  return async line => {
    const { stdout } = await promisify(execFile)(shell, words(line), { env })
    return stdout.split('\n').filter(Boolean)
  }
}
