/** What the commands share that work on a configuration without running it. */
import { type CommandContext, CommandError, EXIT } from '../commands/command.js'
import { type Loaded, loadConfig } from '../config/load.js'
import { hasErrors } from '../config/problem.js'
import { renderProblems } from '../config/render-problem.js'
import type { Config } from '../model.js'
import { type Names, namesOf, resolveNames, withNames } from '../resolve.js'

type Rims = Pick<CommandContext, 'warn' | 'screen'>

/** The configuration and its checks, or the end of the command with everything that is wrong with it. */
export async function configOrEnd(
  file: string,
  { warn, screen }: Rims,
): Promise<Loaded & { readonly config: Config }> {
  const loaded = await loadConfig(file)
  const { config } = loaded
  if (config !== null && !hasErrors(loaded.problems)) return { ...loaded, config }
  warn(renderProblems(loaded, { colour: screen.colour }))
  throw new CommandError(`${file} cannot run; nothing was done`, EXIT.problem)
}

/** The configuration with its names resolved now; those that do not resolve are told. */
export async function resolvedConfig(config: Config, known: Names, { warn }: Rims): Promise<Config> {
  const { names, failures } = await resolveNames(namesOf(config), known)
  const resolved = withNames(config, names)
  for (const trouble of [...failures, ...resolved.clashes]) warn(`lvsd: ${trouble}`)
  return resolved.config
}
