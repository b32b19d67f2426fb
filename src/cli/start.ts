/**
 * Starts the program of a command line. In a build there are two, of which deploy/bundle.mjs chooses one: the smaller one, which
 * is loaded quickly, has the commands that ask a running lvsd.
 */
export function startProgram(_command: string | undefined): Promise<unknown> {
  return import('./program.js')
}
