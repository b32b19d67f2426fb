import { smtpCheck } from './lib/smtp.js'

/** Reads the greeting of a mail submission server and starts TLS. */
export const check = smtpCheck({
  name: 'submission',
  summary: 'reads the greeting of a mail submission server and asks for TLS; can log in',
  defaultPort: 587,
  starttls: true,
})
