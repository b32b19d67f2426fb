import type { AskedEndpoint, Endpoints } from '../../src/hints/endpoints.js'

/** These and no others. */
export function endpointsFrom(all: readonly AskedEndpoint[]): Endpoints {
  return {
    of: id => all.find(({ ids }) => ids.includes(id)),
    like: ({ key }) => all.find(each => each.key === key),
  }
}
