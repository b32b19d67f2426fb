/** What becomes of ldirectord's directives for mails. */
import type { Values } from './directives.js'
import { type Entry, entry, list, map, scalar } from './tree.js'

/** `mail` of the defaults or of one virtual, where these directives say anything of it. */
export function mailEntry(values: Values): Entry | null {
  const { emailalert, emailalertfrom, emailalertfreq, emailalertstatus, smtp } = values
  const at = (emailalert ?? emailalertfrom ?? emailalertfreq ?? emailalertstatus ?? smtp)?.at
  if (!at) return null
  const from = emailalertfrom?.value
  const repeat = emailalertfreq && (emailalertfreq.value === 0 ? 'none' : `${emailalertfreq.value}s`)
  const fields = [
    emailalert ? entry('to', texts(emailalert.value, emailalert.at), emailalert.at) : null,
    from ? entry('from', from, emailalertfrom.at) : null,
    repeat ? entry('repeat', repeat, emailalertfreq.at) : null,
    emailalertstatus ? entry('during', during(emailalertstatus), emailalertstatus.at) : null,
    smtp ? entry('server', smtp.value, smtp.at) : null,
  ].filter(field => field !== null)
  return fields.length > 0 ? entry('mail', map(fields, at), at) : null
}

type Status = NonNullable<Values['emailalertstatus']>

/** With "all" among them the other words say nothing. */
function during({ value, at }: Status) {
  const whole = value.find(word => word === 'all' || word === 'none')
  return whole === undefined ? texts(value, at) : scalar(whole, at)
}

function texts(words: readonly string[], at: Status['at']) {
  return list(
    words.map(word => scalar(word, at)),
    at,
  )
}
