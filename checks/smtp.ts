import { smtpCheck } from './lib/smtp.js'

/** Reads the greeting of a mail server. */
export const check = smtpCheck({
  name: 'smtp',
  summary: 'reads the greeting of a mail server; can ask for TLS and log in',
  defaultPort: 25,
  starttls: false,
})
