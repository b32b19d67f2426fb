import { defineCheck, up } from '../src/check/check.js'
import { converse } from './lib/dialogue.js'
import { encryptionOf, encryptionOptions, encryptionProblem } from './lib/login.js'
import { expectReply } from './lib/replies.js'

/** Reads the greeting of a news server. */
export const check = defineCheck({
  name: 'nntp',
  summary: 'reads the greeting of a news server; can use TLS',
  defaultPort: 119,

  options: kit => encryptionOptions(kit),
  validate: options => encryptionProblem(options),

  takesPath: () => true,
  run(target, options, context) {
    const { tls, starttls } = encryptionOf(options)
    return converse(target, context, tls, async dialogue => {
      const { shown } = await expectReply(dialogue, '2')
      if (starttls) {
        dialogue.send('STARTTLS')
        await expectReply(dialogue, '382')
        await dialogue.startTls(starttls)
      }
      await dialogue.leave('QUIT')
      return up(`${shown}${tls || starttls ? ', TLS' : ''}`)
    })
  },
})
