/** One answer for all who ask at the same moment. */

/** Making the answer takes at most so large a share of the time, however many ask: one part in so many. */
const REST = 2
/** Milliseconds for which an answer is used, at most. */
const LONGEST = 500

export interface Shared<T> {
  get(): Promise<T>
  /** What was made before is used no more. */
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
