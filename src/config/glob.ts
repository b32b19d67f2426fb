/** Matches file names against a pattern with `*`, `?`, `[a-z]`. */

/**
 * Returns a function that matches names. It does not use the pattern as a regular expression, so the time is bounded by
 * the lengths of both texts.
 */
export function globPattern(pattern: string): (name: string) => boolean {
  const parts = partsOf(pattern)
  // As in a shell, a hidden file matches only if the pattern begins with the dot.
  return name => (pattern.startsWith('.') || !name.startsWith('.')) && matches(parts, name)
}

type Part = '*' | ((character: string) => boolean)

function partsOf(pattern: string): readonly Part[] {
  const parts: Part[] = []
  for (const [word] of pattern.matchAll(/\[[!^]?\]?[^\]]*\]|\\?[\s\S]/gu)) {
    if (word === '*') parts.push('*')
    else if (word === '?') parts.push(() => true)
    else if (word.length > 2 && word.startsWith('[')) parts.push(oneOf(word.slice(1, -1)))
    else parts.push(character => character === word.replace(/^\\(?=.)/s, ''))
  }
  return parts
}

function oneOf(inner: string): (character: string) => boolean {
  const isNot = /^[!^]/.test(inner)
  const ranges = [...inner.slice(isNot ? 1 : 0).matchAll(/([\s\S])-([\s\S])|([\s\S])/gu)]
  return character =>
    isNot !==
    ranges.some(
      ([, from, to, one]) =>
        character === one || (from !== undefined && from <= character && character <= (to ?? '')),
    )
}

/** Backtracks to the last star only. This suffices: an earlier star cannot match more than the last one. */
function matches(parts: readonly Part[], name: string): boolean {
  const all = [...name]
  let at = 0
  let part = 0
  let star: { readonly part: number; at: number } | null = null
  while (at < all.length) {
    const wanted = parts[part]
    if (wanted === '*') {
      star = { part, at }
      part++
    } else if (wanted?.(all[at] ?? '')) {
      at++
      part++
    } else if (star) {
      star.at++
      at = star.at
      part = star.part + 1
    } else return false
  }
  return parts.slice(part).every(rest => rest === '*')
}
