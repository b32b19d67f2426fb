/** The mistakes in a request, from the issues that zod finds: where, what was expected, the closest word. Pure. */
import { innerOf, type z } from '../check/option-types.js'
import { closestMatch } from '../util/closest-match.js'
import { Refusal } from './problem-document.js'
import type { RequestProblem } from './problem-types.js'

type Issue = z.core.$ZodIssue
export type Part = 'body' | 'query' | 'path'

/** Returns the value as the type has it. Throws a Refusal with all mistakes. */
export function readPart<T>(type: z.ZodType<T>, value: unknown, part: Part): T {
  const { success, data, error } = type.safeParse(value)
  if (success) return data
  const problems = error.issues.flatMap(issue => problemsOf(issue, { type, value, part, base: [] }))
  throw new Refusal('invalid-request', detailOf(problems), { problems })
}

/** One sentence about the first mistake, which says how many more there are. */
function detailOf([first, ...others]: readonly RequestProblem[]): string {
  if (!first) return 'the request is invalid'
  const place = { body: 'the body', query: 'the query', path: 'the path' }[first.in as Part]
  const more = others.length === 0 ? '' : ` (and ${others.length} more)`
  return `${first.path === '' ? place : `"${first.path}" in ${place}`} ${first.message}${more}`
}

interface Where {
  readonly type: z.ZodType
  readonly value: unknown
  readonly part: Part
  /** Path of the union of which an issue is a part. */
  readonly base: readonly PropertyKey[]
}

function problemsOf(issue: Issue, where: Where): RequestProblem[] {
  const path = [...where.base, ...issue.path]
  const found = valueAt(where.value, path)
  if (issue.code === 'unrecognized_keys') return issue.keys.map(key => unknownKey(key, path, where))
  const meant = issue.code === 'invalid_union' && issue.errors.find(issues => issues.every(isNear))
  if (meant) return meant.flatMap(one => problemsOf(one, { ...where, base: path }))
  return [{ in: where.part, path: pointer(path), ...fault(issue, found) }]
}

function unknownKey(key: string, path: readonly PropertyKey[], { type, part, value }: Where): RequestProblem {
  const known = keysAt(type, path, value)
  const nearest = closestMatch(key, known)
  return {
    in: part,
    path: pointer([...path, key]),
    message:
      known.length === 0 ? 'is not allowed' : `is unknown${nearest ? `; did you mean "${nearest}"?` : ''}`,
    ...(known.length > 0 && { expected: orList(known) }),
    ...(nearest !== null && { nearest }),
    code: 'UNKNOWN_KEY',
  }
}

type Fault = Pick<RequestProblem, 'message' | 'code' | 'expected' | 'nearest'>

function fault(issue: Issue, found: unknown): Fault {
  switch (issue.code) {
    case 'invalid_type':
      return wrongType(nameOf(issue.expected), found)
    case 'invalid_value':
      return wrongWord(issue.values.map(String), found)
    case 'invalid_union':
      return 'options' in issue && Array.isArray(issue.options)
        ? wrongWord(issue.options.map(String), found)
        : wrongType(orList([...new Set(issue.errors.flatMap(typesOf))]), found)
    case 'too_small':
      return outOfRange(issue.origin, 'at least', issue.minimum, found)
    case 'too_big':
      return outOfRange(issue.origin, 'at most', issue.maximum, found)
    default:
      return { message: `is ${shown(found)}: ${issue.message}`, code: 'BAD_VALUE' }
  }
}

function wrongType(expected: string, found: unknown): Fault {
  if (found === undefined) return { message: `is missing; expected ${expected}`, expected, code: 'MISSING' }
  return { message: `must be ${expected}, not ${sortOf(found)}`, expected, code: 'WRONG_TYPE' }
}

function wrongWord(words: readonly string[], found: unknown): Fault {
  const expected = orList(words)
  if (typeof found !== 'string') return wrongType(expected, found)
  const nearest = closestMatch(found, words)
  const hint = nearest ? `; did you mean "${nearest}"?` : `; expected ${expected}`
  return {
    message: `cannot be ${shown(found)}${hint}`,
    expected,
    ...(nearest !== null && { nearest }),
    code: 'UNKNOWN_WORD',
  }
}

const UNITS: Readonly<Record<string, string>> = { array: ' items', string: ' characters' }

function outOfRange(origin: string, bound: string, limit: number | bigint, found: unknown): Fault {
  const unit = UNITS[origin]
  const size = typeof found === 'string' || Array.isArray(found) ? found.length : found
  const is = unit === undefined ? `is ${shown(found)}` : `has ${size}${unit}`
  return {
    message: `${is}; expected ${bound} ${limit}`,
    expected: `${bound} ${limit}${unit ?? ''}`,
    code: 'OUT_OF_RANGE',
  }
}

/** An issue about the content of a value, which has the right type. */
function isNear(issue: Issue): boolean {
  return issue.path.length > 0 || issue.code !== 'invalid_type'
}

function typesOf(issues: readonly Issue[]): string[] {
  const [issue] = issues
  if (issue?.code === 'invalid_type') return [nameOf(issue.expected)]
  return issue?.code === 'invalid_value' ? issue.values.map(String) : []
}

/** Keys that the type has at a path; of the alternatives that the value may mean. */
function keysAt(
  type: z.ZodType | undefined,
  path: readonly PropertyKey[],
  value: unknown,
): readonly string[] {
  const { shape, element, options, discriminator } = (type?.def ?? {}) as {
    shape?: Record<string, z.ZodType>
    element?: z.ZodType
    options?: readonly z.ZodType[]
    discriminator?: string
  }
  const [step, ...rest] = path
  if (options)
    return [...new Set(meant(options, discriminator, value).flatMap(one => keysAt(one, path, value)))]
  const inside = step === undefined ? undefined : valueAt(value, [step])
  if (shape) return step === undefined ? Object.keys(shape) : keysAt(shape[String(step)], rest, inside)
  if (element) return keysAt(element, rest, inside)
  const inner = type && innerOf(type)
  return inner ? keysAt(inner, path, value) : []
}

/** The alternatives that have the value's discriminator; all without one. */
function meant(options: readonly z.ZodType[], discriminator: string | undefined, value: unknown) {
  if (discriminator === undefined) return options
  const word = valueAt(value, [discriminator])
  return options.filter(option => {
    const { shape } = option.def as { shape?: Record<string, z.ZodType> }
    return shape?.[discriminator]?.safeParse(word).success
  })
}

function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce((inner, step) => (inner as Record<PropertyKey, unknown> | undefined)?.[step], value)
}

/** RFC 6901. */
function pointer(path: readonly PropertyKey[]): string {
  return path.map(step => `/${String(step).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('')
}

const LONGEST_SHOWN = 60

function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? 'missing'
  return text.length > LONGEST_SHOWN ? `${text.slice(0, LONGEST_SHOWN)}…` : text
}

function orList(words: readonly string[]): string {
  return words.length < 3 ? words.join(' or ') : `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`
}

const NAMES: Readonly<Record<string, string>> = {
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'an object',
  record: 'an object',
  date: 'a time as in ISO 8601',
}

function nameOf(expected: string): string {
  return NAMES[expected] ?? expected
}

function sortOf(value: unknown): string {
  if (value === null) return 'null'
  return nameOf(Array.isArray(value) ? 'array' : typeof value)
}
