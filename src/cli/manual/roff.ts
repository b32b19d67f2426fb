/** Writes man pages in the macros of man(7), which both groff and mandoc read. Pure. */

/** Characters that roff or a terminal would change. `-` is a minus sign, so that a copied option works. */
const ESCAPES: Readonly<Record<string, string>> = {
  '\\': '\\e',
  '-': '\\-',
  "'": '\\(aq',
  '`': '\\(ga',
  '^': '\\(ha',
  '~': '\\(ti',
}

/** Returns plain text for a line of a page. A line that begins with a full stop is no request. */
export function plain(text: string): string {
  const escaped = text
    .replaceAll(/[\\\-'`^~]/g, sign => ESCAPES[sign] ?? sign)
    .replaceAll(/[^\x20-\x7e]/gu, sign => (sign === '\n' ? sign : unicode(sign)))
  return escaped.replaceAll(/^\./gm, '\\&.')
}

function unicode(sign: string): string {
  return `\\[u${(sign.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}]`
}

export function bold(text: string): string {
  return `\\fB${plain(text).replace(/^\\&/, '')}\\fR`
}

export function italic(text: string): string {
  return `\\fI${plain(text).replace(/^\\&/, '')}\\fR`
}

/** Code spans, bold text and links of Markdown. A link becomes its text, because its path is that of the repository. */
const SPAN = /`([^`]+)`|\*\*([^*]+)\*\*|\[([^\]]+)\]\([^)]*\)/g

/** Returns a paragraph of Markdown as text of a page. */
export function prose(markdown: string): string {
  const parts: string[] = []
  let end = 0
  for (const match of markdown.matchAll(SPAN)) {
    const [all, code, strong, link] = match
    parts.push(plain(markdown.slice(end, match.index)))
    parts.push(link === undefined ? bold(code ?? strong ?? '') : plain(link))
    end = match.index + all.length
  }
  parts.push(plain(markdown.slice(end)))
  return parts.join('')
}

/** Returns the head of a page: its name, section, date (YYYY-MM-DD), version of lvsd, and title of the manual. */
export function head(page: { name: string; section: number; date: string; version: string }): string {
  const { name, section, date, version } = page
  return [
    '.\\" Made by npm run build from the tables of the commands and the schema of the configuration.',
    `.TH ${name.toUpperCase()} ${section} ${date} "lvsd ${version}" "lvsd manual"`,
    // No hyphenation and no justification: words are option names and paths.
    '.nh',
    '.ad l',
  ].join('\n')
}

export function section(title: string): string {
  return `.SH ${plain(title)}`
}

/** A heading below a section. */
export function subsection(title: string): string {
  return `.SS ${plain(title)}`
}

/** A paragraph whose text is escaped already. */
export function paragraph(text: string): string {
  return `.PP\n${text}`
}

/** A term with its description; both are escaped already. */
export function term(name: string, about: string): string {
  return `.TP\n${name}\n${about === '' ? '\\&' : about}`
}

/** An item of a list; its text is escaped already. */
export function item(text: string): string {
  return `.IP \\(bu 2\n${text}`
}

/** Lines that keep their breaks. */
export function lines(text: string): string {
  return `.PP\n.RS 4\n.nf\n${plain(text)}\n.fi\n.RE`
}

/** Returns the whole page. A heading makes room itself, so a paragraph behind it needs no request. */
export function joined(parts: readonly string[]): string {
  const text = parts.filter(part => part !== '').join('\n')
  return `${text.replaceAll(/^(\.S[HS] .*)\n\.PP$/gm, '$1')}\n`
}
