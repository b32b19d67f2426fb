/** Files of users' folders, for tests. */

/** A check of this name, with more at the top of its file and in its object. */
export const fileOf = (name: string, { top = '', object = '' }) => `${top}
export const check = {
  name: '${name}',
  summary: 'a check of the tests',
  options: kit => ({ word: kit.text('up', 'What to say') }),
  run: async () => ({ ok: true, reason: null, detail: 'well' }),
  ${object}
}
`
