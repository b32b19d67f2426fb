/** Formats what came of test alerts for people. Pure. */
import type { Tested } from '../../notify/alerts/test-alert.js'
import { painter } from '../../util/paint.js'
import { printable } from '../../util/printable.js'
import { wrap } from '../../util/wrap-text.js'

/** Columns of an answer, in a pipe too. */
const WIDTH = 80

export function renderTested(
  tested: readonly Tested[],
  { width, colour }: { readonly width: number; readonly colour: boolean },
): string {
  const paint = painter(colour)
  return tested
    .map(({ receiver, kind, to, ok, answer, ms, output }) => {
      const head = `${printable(receiver)}  ${kind} ${printable(to)}`
      const verdict = ok ? paint('green', 'accepted') : paint('red', 'failed')
      return [
        `${verdict}  ${head}`,
        ...indented(`${answer}, ${ms} ms`, Math.min(WIDTH, width)),
        ...(output ? indented(`printed: ${output}`, Math.min(WIDTH, width)) : []),
      ].join('\n')
    })
    .join('\n')
}

function indented(text: string, width: number): readonly string[] {
  return wrap(printable(text), width - 4)
    .split('\n')
    .map(line => `    ${line}`)
}
