/**
 * Reads secrets that are stored elsewhere: `passwd: { file: PATH }` and `passwd: { env: NAME }` in place of the text.
 */

import { readText } from '../system/read-file.js'
import { pathFrom } from './paths.js'
import type { Position } from './problems/problem.js'
import type { Report } from './problems/report.js'
import type { RawMap, RawNode } from './raw.js'

export interface SecretSources {
  /**
   * Returns the text. If there is none, reports why and returns a placeholder, so that no second problem is reported.
   */
  read(node: RawMap, at: Position): string
  /** True if a placeholder stands for a text in the node. */
  isMissing(node: RawNode): boolean
}

export interface SecretPlace {
  readonly report: Report
  readonly env: Readonly<Record<string, string | undefined>>
  /** Returns the base of relative paths at a position, or null. */
  folderAt(at: Position): string | null
}

/** Size limit of a password file in bytes. */
const MAX_BYTES = 64 * 1024

export function secretSources({ report, env, folderAt }: SecretPlace): SecretSources {
  const known = new Map<RawMap, string>()
  const missing = new Set<RawNode>()
  const isMissing = (node: RawNode): boolean => {
    if (missing.size === 0 || node.kind === 'scalar') return false
    if (node.kind === 'list') return node.items.some(isMissing)
    return missing.has(node) || node.entries.some(({ value }) => isMissing(value))
  }
  return {
    isMissing,
    read(node, at) {
      let text = known.get(node)
      if (text === undefined) {
        try {
          text = readSecret(node, folderAt(node.at) ?? '.', env)
        } catch (error) {
          report.error('SECRET_MISSING', at, (error as Error).message)
          text = '-'
          missing.add(node)
        }
        known.set(node, text)
      }
      return text
    },
  }
}

function readSecret({ entries }: RawMap, folder: string, env: SecretPlace['env']): string {
  const [entry] = entries
  const value = entry?.value.kind === 'scalar' ? entry.value.value : null
  const isKnown = entry?.key === 'file' || entry?.key === 'env'
  if (entries.length !== 1 || !isKnown || typeof value !== 'string' || value === '')
    throw new Error('expected the password, { file: PATH } or { env: NAME }')
  const text = entry.key === 'env' ? fromVariable(value, env) : fromFile(pathFrom(folder, value))
  if (text === '')
    throw new Error(
      `the ${entry.key === 'env' ? 'variable' : 'file'} ${value} is empty: a password is expected`,
    )
  return text
}

function fromVariable(name: string, env: SecretPlace['env']): string {
  const value = env[name]
  if (value === undefined) throw new Error(`there is no variable ${name} in the environment of lvsd`)
  return value
}

/** Returns the content without the final line break, which editors add. */
function fromFile(path: string): string {
  try {
    return readText(path, MAX_BYTES).replace(/\r?\n$/, '')
  } catch (error) {
    throw new Error(`the password cannot be read from ${path}: ${(error as Error).message}`)
  }
}
