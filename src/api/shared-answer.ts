/** Shares one answer among concurrent requests. */

/** An answer is reused for this many times the time that it took to compute. This limits the load of many requests. */
const REST = 2
/** Maximum milliseconds for which an answer is reused. */
const LONGEST = 500

export interface Shared<T> {
  get(): Promise<T>
  /** Discards the current answer. */
  forget(): void
}

export function shared<T>(make: () => Promise<T>, now = () => performance.now()): Shared<T> {
  let current: { readonly answer: Promise<T>; until: number } | null = null
  return {
    get() {
      if (current && now() < current.until) return current.answer
      const began = now()
      const mine = { answer: make(), until: Number.POSITIVE_INFINITY }
      current = mine
      const end = () => {
        mine.until = now() + Math.min(REST * (now() - began), LONGEST)
      }
      mine.answer.then(end, () => {
        mine.until = 0
      })
      return mine.answer
    },
    forget() {
      current = null
    },
  }
}
