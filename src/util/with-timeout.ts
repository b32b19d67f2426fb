/** Waiting, but not for ever. */

/** Resolves with `work`, or after `ms` milliseconds without it; rejects where `work` does before that. */
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
