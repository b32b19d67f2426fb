/** Numbers of things as people read them. */

/** `1 service`, `2 services`; the word takes an s. */
export function counted(count: number, word: string): string {
  return `${count} ${count === 1 ? word : `${word}s`}`
}
