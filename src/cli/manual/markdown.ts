/**
 * Converts the Markdown of the reference to the text of a man page: headings, paragraphs, lists, tables and code
 * blocks, as far as the reference has them. Pure.
 */
import { bold, item, lines, paragraph, plain, prose, section, subsection, term } from './roff.js'

/** Blocks, which empty lines separate. A code block may contain empty lines. */
const BLOCK = /^```\w*\n([\s\S]*?)^```$|^(?!```).+(?:\n(?!```).+)*/gm

export function pageOf(markdown: string): string {
  return [...markdown.matchAll(BLOCK)].map(([block, code]) => blockOf(block, code)).join('\n')
}

function blockOf(block: string, code: string | undefined): string {
  if (code !== undefined) return lines(code.replace(/\n$/, '').split('\n').map(broken).join('\n'))
  const [, marks = '', title = ''] = /^(#+) (.*)$/.exec(block) ?? []
  // The first heading is the title of the whole page.
  if (marks.length === 1) return ''
  if (marks) return marks.length === 2 ? section(title) : subsection(title)
  if (block.startsWith('|')) return tableOf(block)
  if (block.startsWith('- ')) return itemsOf(block).join('\n')
  return paragraph(prose(reflowed(block)))
}

/** Columns of a line of code, which a page indents. */
const CODE_WIDTH = 66

/** Breaks a line of code that a terminal of 80 columns would not hold, at blanks; its rest is indented. */
function broken(line: string): string {
  if (line.length <= CODE_WIDTH) return line
  const parts: string[] = []
  for (const word of line.split(' ')) {
    const last = parts.at(-1)
    if (last !== undefined && last.length + word.length < CODE_WIDTH) parts.push(`${parts.pop()} ${word}`)
    else parts.push(last === undefined ? word : `    ${word}`)
  }
  return parts.join('\n')
}

function itemsOf(block: string): string[] {
  return block.split(/^- /m).flatMap(text => (text === '' ? [] : item(prose(reflowed(text)))))
}

function reflowed(text: string): string {
  return text.trim().replaceAll(/\n\s*/g, ' ')
}

/** Each row is a term with its description. The cells between them stand in brackets: `key (duration, default 10s)`. */
function tableOf(block: string): string {
  const [titles = [], , ...rows] = block.split('\n').map(cellsOf)
  return rows
    .map(cells => {
      const [name = '', ...rest] = cells
      const about = rest.pop() ?? ''
      const notes = rest.flatMap((cell, i) => (cell === '' ? [] : noteOf(titles[i + 1] ?? '', cell)))
      const brackets = notes.length > 0 ? plain(` (${notes.join(', ')})`) : ''
      return term(`${namesOf(name)}${brackets}`, prose(about))
    })
    .join('\n')
}

function cellsOf(row: string): string[] {
  return row
    .replace(/^\| ?/, '')
    .replace(/ ?\|$/, '')
    .split(/(?<!\\)\|/)
    .map(cell => cell.trim().replaceAll('\\|', '|'))
}

function namesOf(cell: string): string {
  return cell.split(', ').map(nameOf).join(', ')
}

function nameOf(cell: string): string {
  return cell.startsWith('`') ? bold(cell.replaceAll('`', '')) : prose(cell)
}

function noteOf(title: string, cell: string): string {
  const words = cell.replaceAll('`', '')
  return title === 'Default' ? `default ${words}` : words
}
