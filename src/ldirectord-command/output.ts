/** The log of an instance, wherever its file wants it; a reload may want it elsewhere. */
import type { LogLine } from '../system/log.js'
import type { Directives } from './command-directives.js'
import { defaultLogFile, type Env, type Instance } from './paths.js'
import { debugSink, fileSink, type Sink, supervisedSink, syslogSink } from './sinks.js'

/** How an instance runs: detached, or in the foreground for a supervisor or for somebody who looks on. */
export type Mode = 'daemon' | 'supervised' | 'debug'

export interface Streams {
  /** A line to standard output. */
  print(text: string): void
  /** A line to standard error. */
  warn(text: string): void
}

/** What replaces a log file that cannot be written. */
const SPARE = 'daemon'

export class Output {
  readonly #open: (logfile: string | null) => Sink
  #logfile: string | null
  #sink: Sink

  constructor(mode: Mode, instance: Instance, { logfile }: Directives, streams: Streams, env: Env) {
    const file = (path: string) => fileSink(path, instance.name, syslogSink(SPARE))
    const open: Record<Mode, (logfile: string | null) => Sink> = {
      debug: () => debugSink(streams.warn),
      supervised: () => supervisedSink(streams.print),
      daemon: wanted =>
        wanted === null || wanted.startsWith('/') ? file(wanted ?? defaultLogFile(env)) : syslogSink(wanted),
    }
    this.#open = open[mode]
    this.#logfile = logfile
    this.#sink = this.#open(logfile)
  }

  write(line: LogLine): void {
    this.#sink.write(line)
  }

  /** Takes over what another version of the file says. */
  async adopt({ logfile }: Directives): Promise<void> {
    if (logfile === this.#logfile) return
    const before = this.#sink
    this.#logfile = logfile
    this.#sink = this.#open(logfile)
    await before.close()
  }

  /** The last words of a process that ends at once. */
  lastWords(text: string): void {
    this.#sink.writeNow({ level: 'error', time: new Date(), text })
  }

  close(): Promise<void> {
    return this.#sink.close()
  }
}
