/** lvsd import: converts an ldirectord.cf to equivalent YAML. */
import { basename } from 'node:path'
import { formatOf } from '../../config/format.js'
import { readLdirectord } from '../../config/ldirectord/read-ldirectord.js'
import { withReadableNames } from '../../config/ldirectord/readable-names.js'
import { ldirectordToYaml } from '../../config/ldirectord/to-yaml.js'
import { loadConfig } from '../../config/load.js'
import { countProblems, hasErrors, type Problem } from '../../config/problems/problem.js'
import { renderProblems } from '../../config/problems/render-problem.js'
import { CommandError, defineCommand, EXIT } from '../command.js'

export const command = defineCommand({
  name: 'import',
  summary: 'Turn an ldirectord.cf into the equivalent YAML',
  details: `Prints the YAML on standard output. Comments stay where they stand, values that ldirectord takes by default are
written out, and a line beginning with #! says what is different here, or what to look at. What has no equivalent, and what ldirectord
would refuse or read in another way, is reported on standard error. lvsd run FILE.cf works without importing.`,
  arguments: { FILE: { about: 'the ldirectord.cf' } },
  options: {},
  examples: [
    ['lvsd import /etc/ha.d/ldirectord.cf > lvsd.yaml', 'the file, and the report on the terminal'],
    ['lvsd import ldirectord.cf | lvsd validate /dev/stdin', 'what lvsd makes of it'],
  ],
  async run({ arguments: { FILE: file }, printData, warn, screen }) {
    const loaded = await loadConfig(file)
    const { text, checks, problems } = loaded
    if (text !== '' && formatOf(file, text) !== 'ldirectord')
      throw new CommandError(`${file} is not an ldirectord.cf: it looks like YAML already`, EXIT.problem)
    if (problems.length > 0) warn(renderProblems(loaded, { colour: screen.colour }).trimEnd())
    if (loaded.config === null || hasErrors(problems))
      throw new CommandError(
        `${file} cannot be imported: ${countProblems(problems)}; nothing was written`,
        EXIT.problem,
      )
    const document = readLdirectord(text, file, { checks, mostProblems: Number.POSITIVE_INFINITY })
    const named = {
      ...document,
      root: document.root && withReadableNames(document.root),
      problems: [...document.problems, ...warningsOf(problems, document.problems, basename(file))],
    }
    printData(`${headFor(basename(file))}\n\n${ldirectordToYaml(text, named)}`)
    if (problems.length > 0) warn(`${file}: ${countProblems(problems)}`)
    return EXIT.ok
  },
})

/** Warnings that follow from the machine of the import: the YAML may be for another one. */
const OF_MACHINE: ReadonlySet<string> = new Set([
  'CHECK_UNAVAILABLE',
  'COMMAND_UNAVAILABLE',
  'UNKNOWN_GROUP',
  'UNKNOWN_INTERFACE',
  'UNKNOWN_SCHEDULER',
])

/** Returns the warnings of the validation, which the reader does not have. A line in them is one of the imported file. */
function warningsOf(all: readonly Problem[], read: readonly Problem[], name: string): readonly Problem[] {
  const keyOf = ({ code, at }: Problem) => `${code} ${at.line}:${at.column}`
  const known = new Set(read.map(keyOf))
  return all
    .filter(one => one.severity === 'warning' && !known.has(keyOf(one)) && !OF_MACHINE.has(one.code))
    .map(problem => ({ ...problem, message: problem.message.replace(/\bline \d+\b/g, `$& of ${name}`) }))
}

function headFor(name: string): string {
  return [
    `# Imported from ${name}; lines with #! say what differs from ldirectord, and what to look at.`,
    '# The names of the services are servicename, else made of port and address. They are free: choose your own.',
  ].join('\n')
}
