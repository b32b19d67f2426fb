/** Hides passwords in URLs: http://user:password@host. */

/**
 * Returns the text with a star for each character of such a password. A password ends at the last @ before the path.
 */
export function withoutUrlPasswords(text: string): string {
  return text.replace(/(:\/\/[^\s/:@"'?#]*:)([^\s/"'?#]+)(?=@)/g, (_, head: string, password: string) => {
    return head + '*'.repeat([...password].length)
  })
}
