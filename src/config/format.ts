/** In which format a configuration is written. */
import { extname } from 'node:path'

export type Format = 'yaml' | 'ldirectord'

/** Returns the format by the file's extension, or by the text for other extensions. */
export function formatOf(file: string, text: string): Format {
  const extension = extname(file).toLowerCase()
  if (extension === '.cf') return 'ldirectord'
  if (['.yaml', '.yml', '.json'].includes(extension)) return 'yaml'
  return looksLike(text)
}

/** Guesses the format from the text. */
export function looksLike(text: string): Format {
  const looksYaml = /^["']?(settings|defaults|services|include)["']?\s*:|^\s*\{/m.test(text)
  return !looksYaml && /^\s*[a-z]+6?\s*=/m.test(text) ? 'ldirectord' : 'yaml'
}

/** True if there is nothing in a text of either format but blanks and comments. */
export function isEmpty(text: string): boolean {
  return text.split('\n').every(line => /^\s*(#.*)?$/.test(line))
}
