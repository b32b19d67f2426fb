/** Files of users' folders, for tests. */

/** Returns the source of a check with this name, with additional lines at the top and in the object. */
export const fileOf = (name: string, { top = '', object = '' }) => `${top}
export const check = {
  name: '${name}',
  summary: 'a check of the tests',
  options: kit => ({ word: kit.text('up', 'What to say') }),
  run: async () => ({ ok: true, reason: null, detail: 'well' }),
  ${object}
}
`
