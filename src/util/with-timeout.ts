/** Waits for a promise with a time limit. */

/** Resolves when `work` resolves, or after `ms` milliseconds. Rejects if `work` rejects before that. */
export async function waitAtMost(ms: number, work: Promise<unknown> | null): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const enough = new Promise<void>(resolve => {
    timer = setTimeout(resolve, ms)
  })
  try {
    await Promise.race([work, enough])
  } finally {
    clearTimeout(timer)
  }
}
