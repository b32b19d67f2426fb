/** An error in the combination of a check's options, with the option at which it is shown. */

export interface OptionProblem {
  /** The option, and the name or index within its value: `['headers', 'Host']`. Empty: the check as a whole. */
  readonly path: readonly (string | number)[]
  readonly message: string
  /** The error is in the content of the file that the option names. It can be corrected without a new configuration. */
  readonly isOfFile?: true
}

export function problemOf(path: string | OptionProblem['path'], message: string): OptionProblem {
  return { path: typeof path === 'string' ? [path] : path, message }
}

/** Returns what `validate` of a check returned in its complete form. A sentence alone is about the check as a whole. */
export function asOptionProblem(found: OptionProblem | string | null): OptionProblem | null {
  return typeof found === 'string' ? problemOf([], found) : found
}
