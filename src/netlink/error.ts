/** A malformed message, or an exchange with the kernel that failed as a whole. `code` is an errno name. */
export class NetlinkError extends Error {
  override readonly name = 'NetlinkError'
  readonly code: string

  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}

/** Returns the error for received data that violates the protocol. */
export function malformed(what: string): NetlinkError {
  return new NetlinkError('EBADMSG', `malformed netlink message: ${what}`)
}
