import { smtpCheck } from './lib/smtp.js'

/** Greets the server to which people give their mail, and asks it for TLS. */
export const check = smtpCheck({
  name: 'submission',
  summary: 'greets a mail submission server and asks for TLS; may log in',
  defaultPort: 587,
  starttls: true,
})
