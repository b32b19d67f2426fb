/** Resolves names for node:net through the resolver, which does not block a thread of libuv's pool. */
import type { LookupAddress } from 'node:dns'
import type { LookupFunction } from 'node:net'
import type { Family } from '../core/address.js'
import type { Answer, Resolver } from './lookup.js'

/** Milliseconds to wait for the answer of one family after the other one has addresses. */
const OTHER_PATIENCE = 2000

/** Returns a function for the option `lookup` of `net.connect`. It gives addresses of both families, IPv6 first. */
export function lookupBy(resolver: Pick<Resolver, 'addresses'>): LookupFunction {
  return (host, { all, family }, callback) => {
    void addressesOf(resolver, host, family).then(({ found, code }) => {
      const [first] = found
      if (!first) callback(Object.assign(new Error(`${host} does not resolve (${code})`), { code }), '', 0)
      else if (all) callback(null, found)
      else callback(null, first.address, first.family)
    })
  }
}

async function addressesOf(resolver: Pick<Resolver, 'addresses'>, host: string, family: unknown) {
  const wanted: readonly Family[] =
    family === 6 || family === 'IPv6'
      ? ['ipv6']
      : family === 4 || family === 'IPv4'
        ? ['ipv4']
        : ['ipv6', 'ipv4']
  const answers = new Map<Family, Answer>()
  let timer: NodeJS.Timeout | undefined
  await new Promise<void>(resolve => {
    for (const each of wanted)
      void resolver.addresses(host, each).then(answer => {
        answers.set(each, answer)
        if (answers.size === wanted.length) resolve()
        else if ('addresses' in answer) timer = setTimeout(resolve, OTHER_PATIENCE)
      })
  })
  clearTimeout(timer)
  return { found: wanted.flatMap(each => asLookedUp(each, answers.get(each))), code: codeOf(answers) }
}

function asLookedUp(family: Family, answer: Answer | undefined): LookupAddress[] {
  if (!answer || 'code' in answer) return []
  return answer.addresses.map(address => ({ address, family: family === 'ipv6' ? 6 : 4 }))
}

function codeOf(answers: ReadonlyMap<Family, Answer>): string {
  const codes = [...answers.values()].flatMap(answer => ('code' in answer ? [answer.code] : []))
  return codes.find(code => code !== 'ENODATA') ?? codes[0] ?? 'ENOTFOUND'
}
