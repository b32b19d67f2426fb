import assert from 'node:assert/strict'
import type { Problem } from '../../../../src/config/problems/problem.js'
import { renderProblem } from '../../../../src/config/problems/render-one.js'
import { renderProblems } from '../../../../src/config/problems/render-problem.js'

function problemAt(column: number, length: number, more: Partial<Problem> = {}): Problem {
  return {
    severity: 'error',
    code: 'UNKNOWN_KEY',
    message: '"recieve" is not an option of http; did you mean "receive"?',
    file: 'site.yaml',
    at: { line: 14, column, length },
    ...more,
  }
}

const linesOf = (column: number, length: number, line: string) =>
  renderProblem(problemAt(column, length), line).split('\n').slice(1)

describe('render-problem: a problem for people', () => {
  it('has its place, its code, its sentence, the line and what is wrong with it', () => {
    assert.equal(
      renderProblem(problemAt(7, 7), '      recieve: ok'),
      `site.yaml:14:7 UNKNOWN_KEY  "recieve" is not an option of http; did you mean "receive"?
    recieve: ok
    ^^^^^^^`,
    )
  })

  it('says so where it is a warning or a note', () => {
    const head = (severity: 'warning' | 'note') =>
      renderProblem(problemAt(1, 1, { severity, message: 'x' }), '')
    assert.equal(head('warning'), 'site.yaml:14:1 warning UNKNOWN_KEY  x')
    assert.equal(head('note'), 'site.yaml:14:1 note UNKNOWN_KEY  x')
  })

  it('stands under tabs, wide characters and accents where it belongs', () => {
    assert.deepEqual(linesOf(4, 2, 'a\tbxy'), ['    a\tbxy', '     \t ^^'])
    assert.deepEqual(linesOf(3, 1, '日本x'), ['    日本x', '        ^'])
    assert.deepEqual(linesOf(1, 2, '日本x'), ['    日本x', '    ^^^^'])
    assert.deepEqual(linesOf(3, 1, 'e\u0301x'), ['    e\u0301x', '     ^'])
    assert.deepEqual(linesOf(2, 1, '😀x'), ['    😀x', '      ^'])
  })

  it('shows a part of a long line', () => {
    const [line = '', carets = ''] = linesOf(5001, 3, `${'a'.repeat(5000)}bad${'c'.repeat(5000)}`)
    assert.ok(line.length < 200)
    assert.equal(line.slice(carets.indexOf('^'), carets.lastIndexOf('^') + 1), 'bad')
  })

  it('marks something even at the end of a line, or behind it', () => {
    assert.deepEqual(linesOf(3, 5, 'ab'), ['    ab', '      ^'])
    assert.equal(renderProblem(problemAt(1, 1), '').split('\n').length, 1)
  })

  it('lets no control character of the file reach the terminal', () => {
    const text = renderProblem(
      problemAt(1, 1, { message: 'bad \u001b[2J', file: 'a\u0007.yaml' }),
      '\u001b[31mred\u009b',
    )
    assert.match(text, /^[\t\n\P{Cc}]*$/u)
  })

  it('has colours only where they are wanted', () => {
    const text = 'a: 1'
    const problems = [problemAt(1, 1, { at: { line: 1, column: 1, length: 1 } })]
    assert.ok(!renderProblems({ problems, text }).includes('\u001b'))
    assert.ok(
      renderProblems({ problems, text }, { colour: true }).includes('\u001b[31mUNKNOWN_KEY\u001b[39m'),
    )
  })

  it('is nothing where there is nothing to tell', () => {
    assert.equal(renderProblems({ problems: [], text: 'a' }), '')
  })
})
