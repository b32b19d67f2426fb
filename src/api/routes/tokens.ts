/** Tokens of the API over TCP: made, listed and revoked, on the control socket only. */
import { z } from '../../check/option-types.js'
import { didYouMeanOf } from '../../util/closest-match.js'
import type { Control } from '../control.js'
import { Refusal } from '../problem-document.js'
import { routeOver } from '../route.js'
import { addTokenRequest, tokenAdded, tokenList, tokenRevoked } from '../token-types.js'

const route = routeOver<Pick<Control, 'tokens'>>()

export const tokenRoutes = [
  route({
    method: 'GET',
    path: '/v1/tokens',
    role: 'local',
    summary: 'The tokens, without their secrets.',
    response: tokenList,
    handler: ({ tokens }) => ({ schema: 1, tokens: tokens.list() }),
  }),
  route({
    method: 'POST',
    path: '/v1/tokens',
    role: 'local',
    summary: 'Makes a token. Its text is in this answer only.',
    body: addTokenRequest,
    response: tokenAdded,
    problems: ['refused'],
    handler: async ({ tokens }, { body, who }) => {
      const added = await tokens.add(body, who())
      if (added) return { schema: 1, ...added }
      const isTaken = tokens.list().some(({ name }) => name === body.name)
      throw new Refusal(
        'refused',
        isTaken
          ? `there is a token ${body.name} already: revoke it first, or take another name`
          : 'there are as many tokens as lvsd keeps: revoke one that is not used',
      )
    },
  }),
  route({
    method: 'DELETE',
    path: '/v1/tokens/{token}',
    role: 'local',
    summary: 'Revokes a token, and ends what is being sent for it.',
    params: z.strictObject({ token: z.string() }),
    response: tokenRevoked,
    problems: ['not-found'],
    handler: async ({ tokens }, { params: { token }, who }) => {
      const revoked = await tokens.revoke(token, who())
      if (revoked) return { schema: 1, ...revoked }
      const names = tokens.list().map(({ name }) => name)
      throw new Refusal('not-found', `there is no token ${token}${didYouMeanOf(token, names)}`)
    },
  }),
]
