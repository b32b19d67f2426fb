/** The addresses of the configuration's names: asked for again and again, kept in the journal, told when they change. */
import type { Journal } from './journal/journal.js'
import type { Log } from './log.js'
import type { Config } from './model.js'
import { type Names, namesOf, resolveNames, withNames } from './resolve.js'

export class NameBook {
  readonly #journal: Journal
  readonly #log: Log
  readonly #resolve: typeof resolveNames
  #names: Names
  #failures: readonly string[] = []
  #clashes: readonly string[] = []
  #turn = 0

  /** Begins with the last good addresses of earlier runs. */
  constructor(journal: Journal, log: Log, resolve = resolveNames) {
    this.#journal = journal
    this.#log = log
    this.#resolve = resolve
    this.#names = new Map(journal.names)
  }

  /** The configuration with every known name filled in. */
  resolved(config: Config): Config {
    const { config: resolved, clashes } = withNames(config, this.#names)
    for (const clash of clashes) if (!this.#clashes.includes(clash)) this.#log.error(clash)
    this.#clashes = clashes
    return resolved
  }

  /**
   * Asks for every name of the configuration again. True when one has another address than before. A slow answer that is
   * overtaken by a later question counts no more: it may be about an earlier configuration.
   */
  async refresh(config: Config): Promise<boolean> {
    const turn = ++this.#turn
    const wishes = namesOf(config)
    if (wishes.size === 0) return false
    const { names, failures } = await this.#resolve(wishes, this.#names)
    if (turn !== this.#turn) return false
    for (const failure of failures) if (!this.#failures.includes(failure)) this.#log.warn(failure)
    this.#failures = failures
    const changes = [...names].filter(([name, address]) => this.#names.get(name) !== address)
    for (const [name, address] of changes)
      this.#log.info({ name, address, was: this.#names.get(name) }, 'name resolved')
    this.#names = names
    if (changes.length > 0) this.#remember(names)
    return changes.length > 0
  }

  #remember(names: Names): void {
    try {
      this.#journal.recordNames(names)
    } catch (error) {
      this.#log.error(
        { error: (error as Error).message },
        'the addresses of names cannot be kept for the next start',
      )
    }
  }
}
