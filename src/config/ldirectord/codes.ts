/** The codes of what there is to say about an ldirectord.cf, a sentence each. */

/** What is wrong or has another meaning. Imports put these beside the lines concerned. */
export const LDIRECTORD_CODES = {
  NO_DIRECTIVE: 'A line that is neither a directive, nor a comment, nor empty.',
  UNKNOWN_DIRECTIVE: 'A word that is not a directive of ldirectord.',
  WRONG_PLACE: 'A directive of the global part in a virtual, or of a virtual before the first one.',
  DEPRECATED: 'A directive that ldirectord has given up, or will.',
  NOT_BUILT:
    'A directive or a check whose behaviour lvsd does not have yet; the message says what happens instead.',
  NEEDLESS: 'A directive that lvsd does not need.',
  UNUSED: 'A directive that has no effect where it stands.',
  REPEATED: 'A directive that stands twice with different values; the last counts.',
  NO_VALUE: 'A directive without a value.',
  BAD_VALUE: 'A value that the directive does not take.',
  BAD_QUOTES: 'A quoted value whose quotes do not match.',
  BAD_ADDRESS: 'Text that is neither an address nor a name with what belongs to it.',
  BAD_PORT: 'A port that is neither a number up to 65535 nor a name in /etc/services.',
  BAD_FORWARDING: 'Something else than gate, masq or ipip.',
  BAD_REAL:
    'A real server that is not: address[:port] forwarding [weight] ["request", "receive"] [l:N] [u:N].',
  BAD_RANGE: 'A range of real servers that is none.',
  DUPLICATE_VIRTUAL: 'The same virtual service stands twice.',
  ODD_ADDRESS: 'An address that ldirectord reads in a way that few expect.',
  ODD_NUMBER: 'Text of which ldirectord takes the first digits.',
  IGNORED_TEXT: 'Text behind a value that ldirectord ignores.',
  DOUBLE_COLON: 'Two colons between an IPv4 address and its port.',
  EMPTY_FALLBACK: 'A fallback without an address is this machine.',
  FALLBACK_FWMARK: 'A global fallback for a firewall mark: works here, fails with ldirectord.',
  RANGE: 'A range that ldirectord reads in another way.',
  REAL_TWICE: 'The same real server stands twice in one virtual.',
  PAIR: 'A request and an answer that ldirectord would not read like this.',
  THRESHOLD_ORDER: 'Thresholds in an order in which ldirectord loses one.',
  THRESHOLD_QUOTES: 'Thresholds in quotes, which ldirectord takes for a request and an answer.',
  PORT_MAPPED: 'A port that direct routing and tunnels cannot have: the one of the virtual is used.',
  STRANGE_FLAG: 'A scheduler flag that belongs to another scheduler.',
  NO_PERSISTENCE: 'persistent = 0.',
  INTERVAL_IGNORED: 'checkinterval of a virtual without fork = yes.',
  IMPLIED_NONE: 'No service is named and none implied: nothing is checked.',
  COMMAND_ARGUMENTS: 'A checkcommand with blanks: ldirectord takes the whole as the name of a file.',
  DNS_QUESTION: 'A dns check without a request or an expected answer.',
  NOT_UTF8: 'Characters that are not UTF-8.',
  BAD_MAIL_ADDRESS: 'Text that is no mail address among those who get mails.',
  NAME: 'A host name: resolved while lvsd runs.',
  PING: 'A connect check of a udp service is a ping.',
  PATTERN: 'A Perl pattern that is written in another way here.',
  REDIRECTS: 'ldirectord follows redirects.',
  TLS_UNVERIFIED: 'The certificate of an https server is not verified.',
} as const

/** How a line is written: what ldirectord refuses or misreads and lvsd takes as it was meant. */
export const SPELLING_CODES = {
  BYTE_ORDER_MARK: 'The file begins with a byte order mark.',
  CARRIAGE_RETURNS: 'The lines end in CR LF.',
  ODD_BLANK: 'A character that looks like a blank and is none.',
  CURLY_QUOTES: 'Quotes that an editor has curled.',
  HASH_IN_QUOTES: 'A # in quotes, where ldirectord cuts the line.',
  TRAILING_COMMENT: 'A comment that ldirectord takes as part of the value.',
  TRAILING_BLANKS: 'Blanks at the end of a line that ldirectord takes as part of the value.',
  LETTER_CASE: 'A word in capitals that ldirectord wants in lower case.',
  MISSING_QUOTES: 'A value that belongs in double quotes.',
  NEEDLESS_QUOTES: 'Quotes that ldirectord takes as part of the value, or refuses.',
  INDENT: 'A line indented in another way than ldirectord wants.',
  SECTION_INTERRUPTED: 'A virtual that goes on behind an empty line or a global directive.',
  INVISIBLE_BLANKS: 'A line of blanks alone, which ldirectord takes for a directive.',
  FAMILY_WORD: 'virtual, real or fallback for IPv6, or the words with a 6 for IPv4.',
} as const

export type LdirectordCode = keyof typeof LDIRECTORD_CODES | keyof typeof SPELLING_CODES
