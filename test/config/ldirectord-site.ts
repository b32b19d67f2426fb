/** Small files for the tests of the ldirectord.cf reader. */

/** A site of one virtual; lines of the global part, then those of the section, indented by a tab. */
export function site(section: string, { head = 'virtual=192.0.2.1:80', globals = '' } = {}): string {
  const lines = section === '' ? [] : section.split('\n').map(line => `\t${line.trim()}`)
  return [...(globals === '' ? [] : [globals]), head, ...lines, ''].join('\n')
}

export const REAL = 'real=198.51.100.1:80 masq'
