/** A message that makes no sense, or an exchange with the kernel that failed as a whole. `code` is an errno name. */
export class NetlinkError extends Error {
  override readonly name = 'NetlinkError'
  readonly code: string

  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}

/** What was received does not follow the protocol. */
export function malformed(what: string): NetlinkError {
  return new NetlinkError('EBADMSG', `malformed netlink message: ${what}`)
}
