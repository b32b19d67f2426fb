/** Which of a name's addresses is used, and what is to be said where there is none. Pure. */
import { type Family, parseAddress } from '../address.js'
import type { Answer } from './resolver.js'
import type { Wish } from './wishes.js'

/** The last answers about a host; absent ones are still awaited. */
export type Answers = ReadonlyMap<Family, Answer>

/**
 * The address to use; `current` is the one in use.
 *
 *   answers                                  used
 *   have the current one                     the current one
 *   have others                              the first of them, of the wanted family where there are such
 *   a family is not answered, or failed      the current one
 *   there is no such name, or no address     the current one
 */
export function choose(wish: Wish, current: string | null, answers: Answers): string | null {
  const own = answers.get(wish.family)
  const other = wish.isStrict ? undefined : answers.get(otherFamily(wish.family))
  const found = [...addressesOf(own), ...addressesOf(other)]
  if (current !== null && (found.includes(current) || !isAnswered(current, answers))) return current
  // What is wanted more may still come.
  if (own === undefined) return current
  return found[0] ?? current
}

/** Whether the answer about this address's own family has come, so that its absence there means something. */
function isAnswered(address: string, answers: Answers): boolean {
  const answer = answers.get(parseAddress(address)?.family ?? 'ipv6')
  return answer !== undefined && ('addresses' in answer || isAbsence(answer.code))
}

/** A sentence where the wanted address is not there: what was asked for, and what was found instead. */
export function troubleOf(wish: Wish, answers: Answers): string | null {
  const { host, family, isStrict } = wish
  const own = answers.get(family)
  const other = answers.get(otherFamily(family))
  if (hasAddress(own) || (!isStrict && hasAddress(other))) return null
  const word = familyWord(family)
  const instead = hasAddress(other) ? `; it has ${addressesOf(other).join(', ')}` : ''
  if (isAwaited(wish, answers) || !own)
    return instead ? `${host} has no ${word} address so far${instead}` : `${host} is being looked up`
  const code = codeOf(own)
  if (isStrict && isAbsence(code) && instead) return `${host} has no ${word} address${instead}`
  if (isStrict) return `${host} does not resolve to an ${word} address: ${why(code)}${instead}`
  return `${host} does not resolve: ${why(isAbsence(code) ? codeOf(other) : code)}`
}

/** Whether an answer is still to come that says more of this wish. */
export function isAwaited({ family, isStrict }: Wish, answers: Answers): boolean {
  const own = answers.get(family)
  if (own === undefined) return true
  if (hasAddress(own) || (isStrict && !isAbsence(codeOf(own)))) return false
  return !answers.has(otherFamily(family))
}

const WHY: Readonly<Record<string, string>> = {
  ENOTFOUND: 'there is no such name',
  ENODATA: 'the name has no address',
  ETIMEOUT: 'the name servers do not answer',
  ECONNREFUSED: 'the name servers cannot be reached',
  ESERVFAIL: 'the name server failed',
  EREFUSED: 'the name server refuses the question',
  EBADNAME: 'this is not a possible name',
  EBADRESP: 'the answer of the name server is not valid',
}

function why(code: string): string {
  const words = WHY[code]
  return words ? `${words} (${code})` : code
}

function otherFamily(family: Family): Family {
  return family === 'ipv6' ? 'ipv4' : 'ipv6'
}

function familyWord(family: Family): string {
  return family === 'ipv6' ? 'IPv6' : 'IPv4'
}

/** The name servers say that there is nothing, as opposed to saying nothing. */
function isAbsence(code: string): boolean {
  return code === 'ENOTFOUND' || code === 'ENODATA'
}

function hasAddress(answer: Answer | undefined): boolean {
  return addressesOf(answer).length > 0
}

function addressesOf(answer: Answer | undefined): readonly string[] {
  return answer && 'addresses' in answer ? answer.addresses : []
}

function codeOf(answer: Answer | undefined): string {
  return answer && 'code' in answer ? answer.code : 'ENODATA'
}
