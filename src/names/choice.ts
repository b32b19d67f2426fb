/** Which of a name's addresses is used, and what is to be said where there is none. Pure. */
import { type Family, parseAddress } from '../core/address.js'
import type { Answer } from './lookup.js'
import type { LookupRequest } from './lookup-requests.js'

/** The last answers about a host; absent ones are still awaited. */
export type Answers = ReadonlyMap<Family, Answer>

/**
 * The address to use; `current` is the one in use.
 *
 *   answers                                  used
 *   have the current one                     the current one
 *   have others                              the first of them, of the wanted family where there are such
 *   have others of the other family alone    the current one; the first of them where the other family will do
 *   a family is not answered, or failed      the current one
 *   there is no such name, or no address     the current one
 *
 * A virtual address without `family:` that is in use stays in its family, over reloads and, by the journal, over restarts,
 * whatever records come and go: in the other family it would be another service, which no client is connected to, and
 * whose servers have other addresses too. Only the configuration changes it. So it is not chosen by a silence either: the
 * other family waits until there is an answer about the wanted one, or until `isPatienceOver`.
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
  // What is wanted more may still come.
  if (own === undefined) return current
  if (other === 'at first' && !isSaid(own) && !isPatienceOver) return current
  return found[0] ?? current
}

/** What is wanted once this address is in use. */
export function inUse(request: LookupRequest, current: string | null): LookupRequest {
  const family = current === null ? null : parseAddress(current)?.family
  return request.other === 'at first' && family ? { ...request, family, other: 'never' } : request
}

/** Whether the answer about this address's own family has come, so that its absence there means something. */
function isAnswered(address: string, answers: Answers): boolean {
  return isSaid(answers.get(parseAddress(address)?.family ?? 'ipv6'))
}

/** There are addresses, or it is said that there are none. */
function isSaid(answer: Answer | undefined): boolean {
  return answer !== undefined && ('addresses' in answer || isAbsence(answer.code))
}

/**
 * A sentence where the wanted address is not there: what was asked for, and what was found instead. `current` is the one
 * in use: nothing is wrong with that while answers are awaited.
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

/** Whether an answer is still to come that says more of this request. */
export function isAwaited({ family, other }: LookupRequest, answers: Answers): boolean {
  const own = answers.get(family)
  if (own === undefined) return true
  if (hasAddress(own) || (other === 'never' && isFailed(own))) return false
  return !answers.has(otherFamily(family))
}

/** Whether all has been answered or has failed, and so much has failed that the request is not decided. */
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

/** The name servers say that there is nothing, or could never say anything else, as opposed to saying nothing. */
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
