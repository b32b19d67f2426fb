/** Formats words for a shell. */

/** Characters that no shell treats specially within a word. A tilde or an equals sign is special at its beginning. */
const PLAIN = /^[\w@%+:,./-]+$/

/** Returns the word as it is typed in a shell: in single quotes if the shell would change it. */
export function shellQuoted(word: string): string {
  return PLAIN.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`
}
