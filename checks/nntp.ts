import { defineCheck, up } from '../src/check.js'
import { converse } from './_dialogue.js'
import { expectReply } from './_replies.js'

/** Hears the greeting of a news server. */
export const check = defineCheck({
  name: 'nntp',
  summary: 'greets a news server',
  defaultPort: 119,

  options: () => ({}),

  run: (target, _options, context) =>
    converse(target, context, null, async dialogue => {
      const { shown } = await expectReply(dialogue, '2')
      await dialogue.leave('QUIT')
      return up(shown)
    }),
})
