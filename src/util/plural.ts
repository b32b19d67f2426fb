/** Formats numbers of things for people. */

/** Returns `1 service` or `2 services`. The plural is formed with an s. */
export function counted(count: number, word: string): string {
  return `${count} ${count === 1 ? word : `${word}s`}`
}
