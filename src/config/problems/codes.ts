/** All codes of problems with a configuration, each with a sentence for config/reference.md. */
export const CODES = {
  // reading
  FILE_UNREADABLE: 'The file cannot be read.',
  FILE_TOO_BIG: 'The file has more than 16 MiB, or grows past a million values through its aliases.',
  WRONG_FORMAT: 'The ending of the name says ldirectord.cf and the text is YAML, or the other way round.',
  NOT_TEXT: 'The file holds zero bytes: it is not text, or not in UTF-8.',
  EMPTY: 'There is nothing in the file but blanks and comments.',
  SYNTAX: 'The text is not YAML at this place.',
  TAB_INDENT: 'YAML is indented with spaces; a tab stands where only spaces may.',
  QUOTES_NEEDED:
    "A value that begins with [ or another sign of YAML needs quotes round it: '[2001:db8::1]:80'.",
  SEVERAL_DOCUMENTS: 'The file holds more than one YAML document.',
  DUPLICATE_KEY: 'The same key stands twice in one mapping.',
  KEY_NOT_TEXT: 'A key is a list, a mapping or empty.',
  UNKNOWN_ANCHOR: 'An alias (*name) without an anchor (&name) before it.',
  ALIAS_LOOP: 'An alias inside the value that it stands for.',
  UNKNOWN_TAG: 'A YAML tag (!name) that has no meaning here.',
  TOO_DEEP: 'Mappings and lists are nested more than 32 deep.',
  TOO_COSTLY: 'Reading the file took more time or memory than any configuration needs.',
  MORE_PROBLEMS: 'There are more problems than are listed.',
  // keys and values
  UNKNOWN_KEY: 'A key that has no meaning at this place.',
  MISSING_KEY: 'A key that is required is not there.',
  WRONG_TYPE: 'A value of the wrong sort: text for a number, a list for a mapping, nothing at all.',
  UNKNOWN_WORD: 'A word that is not one of those that may stand here.',
  OUT_OF_RANGE: 'A number outside its range.',
  BAD_VALUE: 'A value of the right sort that cannot be read: a duration, a share, a pattern.',
  BAD_NAME: 'The name of a service is empty, too long, or has blanks or control characters.',
  BAD_ADDRESS:
    'Text that is neither an IPv6 address, an IPv4 address nor a host name, with or without a port.',
  BRACKETS_NEEDED: 'An IPv6 address needs brackets where a port may follow it.',
  BAD_PORT: 'A port that is neither a number from 0 to 65535 nor a name in /etc/services.',
  BAD_REAL: 'A real server in short form that is not: address [forwarding [weight]].',
  BAD_FALLBACK: 'A fallback in short form that is not: address [forwarding].',
  BAD_NETMASK: 'A netmask that is not of the form 255.255.255.0.',
  BAD_INCLUDE: 'A file that is to be included cannot be.',
  EMPTY_INCLUDE:
    'There is nothing in an included file but blanks and comments. A reload to it that removes real servers is refused unless it is forced.',
  INCLUDE_LOOP: 'A file includes itself, or another that includes it.',
  CHECK_FOLDER:
    'A folder with checks, or a check in it, cannot be used (a warning where nothing uses it), or prints while it is loaded.',
  CHECK_REPLACED:
    'A check in a folder takes the name of one that lvsd brings, or cannot have its name because another folder has it.',
  UNKNOWN_GROUP: 'This machine has no such group.',
  // services
  NO_SERVICES: 'No services are configured: lvsd would have nothing to do.',
  NO_REALS: 'A service has no real servers.',
  VIRTUAL_OR_FWMARK: 'A service needs either virtual or fwmark, and not both.',
  PORT_TWICE: 'Both virtual and ports give ports.',
  NO_PORT: 'A virtual address has no port.',
  FAMILY_NEEDED:
    'A firewall mark applies to one family, and so does the persistence of a name: family sets it.',
  FWMARK_KEY: 'A key that belongs to a virtual address stands in a service with a firewall mark.',
  COLLIDING_SERVICES:
    'Two services are one and the same for the kernel: protocol, address and port, or mark and family.',
  DUPLICATE_SERVICE: 'Two services have one name.',
  DUPLICATE_REAL: 'A real server stands twice in one service.',
  PORT_ZERO: 'Port 0 (every port) needs persistence, or a firewall mark.',
  ONE_PACKET_NOT_UDP: 'one-packet is for UDP.',
  UNKNOWN_SCHEDULER: 'A scheduler that the Linux kernel does not bring; a module of your own may.',
  SCHEDULER_FLAG: 'A flag that the scheduler does not have.',
  PREFIX_RANGE: 'A prefix length that the family of the service does not have.',
  PREFIX_TWICE: 'Both prefix and netmask say how clients are grouped.',
  SIP_NOT_UDP: 'The persistence engine sip reads SIP over UDP.',
  MAIL_TO_NOBODY: 'Mails are configured, and nobody to get them.',
  BAD_ALERTS:
    'A receiver of alerts has keys that do not go together, or names an event or a service that is not there.',
  BAD_CLUSTER: 'Keys of cluster do not go together.',
  SINGLE_OBSERVER:
    'With one observer, a fault of the network of one director takes servers out on all directors.',
  BAD_CONNECTIVITY: 'The conditions of the connectivity can never hold, or contradict each other.',
  UNKNOWN_INTERFACE: 'An interface that this machine does not have at present.',
  // real servers
  FAMILY_MISMATCH: 'An address of the other family, which only tunnels can reach.',
  SOURCE_FAMILY: 'The source of a check has another address family than its target.',
  NAME_FAMILY: 'A name that /etc/hosts has in the other family alone than the one that is asked for.',
  MIXED_FAMILY:
    'A service of one family with real servers of the other: the kernel refuses it while its sync daemon runs.',
  LINK_LOCAL_REAL: 'The kernel refuses link-local real servers (fe80::).',
  NOT_UNICAST: 'An address that no single server can have: unspecified, multicast or broadcast.',
  ZONE_NOT_ALLOWED: 'A zone (%eth0) where IPVS knows none.',
  ZONE_NEEDED: 'A link-local address cannot be reached without its zone (%eth0).',
  PORT_MISMATCH: 'With gate and tunnels packets arrive unchanged, so the port must be that of the service.',
  THRESHOLDS: 'The lower threshold is above the upper one.',
  TUNNEL_PORT: 'gue needs tunnel-port, and only gue has one.',
  TUNNEL_CHECKSUM: 'A checksum that this kind of forwarding does not have.',
  BAD_WINDOW:
    'A maintenance window has an impossible time: a field of the cron expression, the zone, or lengths that contradict each other.',
  UNKNOWN_REAL: 'A maintenance window names a real server that its service does not have.',
  FALLBACK_IS_REAL: 'The fallback is one of the real servers of its service.',
  LOOPBACK:
    'A server at a loopback address is the director itself: with masq no client on another machine reaches it, and with gate clients reach the port of the service.',
  // checks
  UNKNOWN_CHECK: 'There is no check of this kind.',
  CHECK_WITHOUT_KIND: 'A check without a kind, in a service without one.',
  CHECK_TWICE: 'Both check and checks are given.',
  SECRET_MISSING: 'A password that is to come from a file or a variable, which is not there or empty.',
  OPTION_FILE:
    'An option of a check names a file that cannot be read, or that does not hold what is expected.',
  CHECK_OPTIONS: 'Options of a check that do not go together.',
  TIMED_PATTERN:
    'An expression with look-around, a backreference or a large count: it is searched with a time limit, and the check is down where that is too short.',
  CHECK_UNAVAILABLE:
    'This machine lacks something that a check needs: it has no verdict until that is there.',
  COMMAND_UNAVAILABLE:
    'A callback, a fallbackcommand or a command for alerts that cannot be run: absent, or somebody else could change it.',
  CHECK_PATH: 'A check that cannot go the way of the clients (path: service).',
  EARLY_TIMEOUT_IDLE: 'early-timeout has no effect on a check with path: service.',
  MARK_RANGE: 'The marks for checks with path: service are no marks, are those of a service, or are too few.',
  CHECK_NEEDS_PORT: 'A check has no port to go to.',
  NO_CHECK: 'A service without a check: its real servers always count as up.',
  AGENT_ALONE: 'Real servers that no check tests except their own agent.',
  ON_DOWN_TWICE: 'on-down and quiescent in the same mapping.',
  SLOW_START_IDLE: 'slow-start has no effect: no weight can rise, or the scheduler does not use weights.',
  NEED_TOO_MANY: 'need is more than the number of checks.',
  TIMEOUT_OVER_INTERVAL: 'A check may take longer than the interval; the next one then starts late.',
  FASTINTER_OVER_INTERVAL: 'fastinter is longer than the interval, and would delay the decision.',
  LONG_INTERVAL: 'A large number without a unit is in seconds: milliseconds may be meant.',
  URL_REQUEST: 'A whole URL where a path is expected; it would be sent as it is.',
  SHORT_INTERVAL: 'An interval under 100 ms: seconds may be meant.',
} as const

export type Code = keyof typeof CODES
