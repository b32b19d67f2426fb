/** Chooses the address of a name, and describes why it has none. Pure. */
import { type Family, parseAddress } from '../core/address.js'
import type { Answer } from './lookup.js'
import type { LookupRequest } from './lookup-requests.js'

/** The last answers for a host. A missing family has not been answered yet. */
export type Answers = ReadonlyMap<Family, Answer>

/**
 * Returns the address to use; `current` is the address in use.
 *
 *   answers                                   result
 *   contain the current address               the current address
 *   contain other addresses                   the first one, of the wanted family if possible
 *   contain only the other family             the first one if the request accepts the other family, else the current
 *   are missing or failed for a family        the current address
 *   state that there is no name or address    the current address
 *
 * A virtual address without `family:` keeps the family in use across reloads and, through the journal, across restarts.
 * In the other family it would be a different service without client connections, and its servers would need other
 * addresses. Only a change of the configuration changes the family. For the same reason a failed look-up must not
 * decide the family: the other family is used only after an answer for the wanted one, or once `isPatienceOver`.
 */
export function choose(
  request: LookupRequest,
  current: string | null,
  answers: Answers,
  isPatienceOver = false,
): string | null {
  const { family, other } = inUse(request, current)
  const own = answers.get(family)
  const found = [
    ...addressesOf(own),
    ...(other === 'never' ? [] : addressesOf(answers.get(otherFamily(family)))),
  ]
  if (current !== null && (found.includes(current) || !isAnswered(current, answers))) return current
  // An address of the wanted family may still arrive.
  if (own === undefined) return current
  if (other === 'at first' && !isSaid(own) && !isPatienceOver) return current
  return found[0] ?? current
}

/** Returns the request that applies while this address is in use: `at first` becomes the family of the address. */
export function inUse(request: LookupRequest, current: string | null): LookupRequest {
  const family = current === null ? null : parseAddress(current)?.family
  return request.other === 'at first' && family ? { ...request, family, other: 'never' } : request
}

/** True if the answer for the family of this address states its addresses, so that it may be missing from them. */
function isAnswered(address: string, answers: Answers): boolean {
  return isSaid(answers.get(parseAddress(address)?.family ?? 'ipv6'))
}

/** True if the answer has addresses, or states that there are none. False if it is missing or failed. */
function isSaid(answer: Answer | undefined): boolean {
  return answer !== undefined && ('addresses' in answer || isAbsence(answer.code))
}

/**
 * Returns a sentence if there is no address as requested: what is missing, and which addresses exist instead. Else
 * null. `current` is the address in use; with one, the result is null while answers are outstanding.
 */
export function troubleOf(
  request: LookupRequest,
  answers: Answers,
  current: string | null = null,
): string | null {
  const settled = inUse(request, current)
  if (current !== null && isAwaited(settled, answers)) return null
  const trouble = lackOf(settled, answers)
  if (trouble === null || current === null) return trouble
  const other = otherFamily(settled.family)
  const remedy =
    request.other === 'at first' && hasAddress(answers.get(other))
      ? `; to use the other one, set family: ${other}`
      : ''
  return `${trouble}; ${current} stays in use${remedy}`
}

function lackOf(request: LookupRequest, answers: Answers): string | null {
  const { host, family } = request
  const own = answers.get(family)
  const other = answers.get(otherFamily(family))
  const isWaiting = request.other === 'at first' && isFailed(own)
  if (hasAddress(own) || (request.other !== 'never' && !isWaiting && hasAddress(other))) return null
  const word = familyWord(family)
  const instead = hasAddress(other) ? `; it has ${addressesOf(other).join(', ')}` : ''
  if (isAwaited(request, answers) || !own)
    return instead ? `${host} has no ${word} address so far${instead}` : `${host} is being looked up`
  const code = codeOf(own)
  const isFamilyMeant = request.other === 'never' || instead !== ''
  if (isFamilyMeant && isAbsence(code) && instead) return `${host} has no ${word} address${instead}`
  if (isFamilyMeant) return `${host} does not resolve to an ${word} address: ${why(code)}${instead}`
  return `${host} does not resolve: ${why(isAbsence(code) ? codeOf(other) : code)}`
}

/** True if an answer is outstanding that can affect this request. */
export function isAwaited({ family, other }: LookupRequest, answers: Answers): boolean {
  const own = answers.get(family)
  if (own === undefined) return true
  if (hasAddress(own) || (other === 'never' && isFailed(own))) return false
  return !answers.has(otherFamily(family))
}

/** True if no answer is outstanding, and a failed look-up leaves the request undecided. */
export function isFailure(request: LookupRequest, answers: Answers): boolean {
  const own = answers.get(request.family)
  if (isAwaited(request, answers) || hasAddress(own)) return false
  return isFailed(own) || (request.other !== 'never' && isFailed(answers.get(otherFamily(request.family))))
}

function isFailed(answer: Answer | undefined): boolean {
  return answer !== undefined && !isSaid(answer)
}

const WHY: Readonly<Record<string, string>> = {
  ENOTFOUND: 'there is no such name',
  ENODATA: 'the name has no address',
  ETIMEOUT: 'the name servers do not answer',
  ECONNREFUSED: 'the name servers cannot be reached',
  ESERVFAIL: 'the name server failed',
  EREFUSED: 'the name server refuses the question',
  EBADNAME: 'the name is not valid',
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

/** True for codes that state that there is no address, or that no query can be sent, as opposed to a failed look-up. */
function isAbsence(code: string): boolean {
  return code === 'ENOTFOUND' || code === 'ENODATA' || code === 'EBADNAME'
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
