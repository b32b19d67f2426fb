/** lvsd completion: scripts with which shells complete command lines, and the words that they ask for. */
import { socketOption } from '../ask-daemon.js'
import { type CommandContext, defineCommand, EXIT } from '../command.js'
import { answerTo } from '../completion/answer.js'
import { usageError } from '../parse.js'

const SHELLS = ['bash', 'zsh', 'fish'] as const

const options = {
  ...socketOption,
  words: {
    value: 'SOURCE',
    choices: ['target', 'service', 'real'],
    about: 'what the scripts ask: the names that the running lvsd has',
  },
  begun: { value: 'WORD', default: '', about: 'with --words: only names that begin so' },
  service: { value: 'SERVICE', about: 'with --words real: only of this service' },
} as const

type Context = CommandContext<typeof options>

export const command = defineCommand({
  name: 'completion',
  summary: 'Print the script with which a shell completes lvsd commands',
  details: `The script completes commands, options and their values, and, from the running lvsd, services and real servers.
It quotes what a shell would take for a pattern: 'web/[fd00::3]:80'. Without a running lvsd it completes the rest.
"lvsd completion words" is for the scripts: it prints names, and nothing where no lvsd answers at once.`,
  arguments: { SHELL: { about: 'bash, zsh or fish', choices: SHELLS } },
  options,
  examples: [
    [
      'lvsd completion bash > /etc/bash_completion.d/lvsd',
      'for all users; or in ~/.bashrc: source <(lvsd completion bash)',
    ],
    ['lvsd completion zsh > /usr/local/share/zsh/site-functions/_lvsd', 'for all users of zsh'],
    ['lvsd completion fish > ~/.config/fish/completions/lvsd.fish', 'for one user of fish'],
  ],
  async run(context) {
    const { SHELL } = context.arguments
    if (SHELL === 'words') return printWords(context)
    if (SHELL !== 'bash' && SHELL !== 'zsh' && SHELL !== 'fish')
      throw usageError(`a shell is bash, zsh or fish, not "${SHELL}"`, 'completion')
    context.printData(await scriptFor(SHELL))
    return EXIT.ok
  },
})

async function scriptFor(shell: 'bash' | 'zsh' | 'fish'): Promise<string> {
  // The words, which a shell waits for, load none of this.
  const { commandNames, loadCommand } = await import('../registry.js')
  const { completionTable } = await import('../completion/table.js')
  const rows = completionTable(await Promise.all(commandNames().map(loadCommand)))
  if (shell === 'bash') return (await import('../completion/bash.js')).bashScript(rows)
  if (shell === 'zsh') return (await import('../completion/zsh.js')).zshScript(rows)
  return (await import('../completion/fish.js')).fishScript(rows)
}

async function printWords({ options, env, printData }: Pick<Context, 'options' | 'env' | 'printData'>) {
  const { words = 'target', begun, service = null, socket } = options
  const found = await answerTo({ source: words, begun, service, socket }, env)
  if (found.length > 0) printData(found.join('\n'))
  return EXIT.ok
}
