/** The log of an instance. Its destination is set by the configuration and may change with a reload. */
import type { LogLine } from '../system/log.js'
import type { Directives } from './command-directives.js'
import { defaultLogFile, type Env, type Instance } from './paths.js'
import { debugSink, fileSink, type Sink, supervisedSink, syslogSink } from './sinks.js'

/** How an instance runs: detached, in the foreground under a supervisor, or in the foreground with debug output. */
export type Mode = 'daemon' | 'supervised' | 'debug'

export interface Streams {
  /** Writes a line to standard output. */
  print(text: string): void
  /** Writes a line to standard error. */
  warn(text: string): void
}

/** Syslog facility that is used if the log file cannot be written. */
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

  /** Takes the directives of a new configuration. */
  async adopt({ logfile }: Directives): Promise<void> {
    if (logfile === this.#logfile) return
    const before = this.#sink
    this.#logfile = logfile
    this.#sink = this.#open(logfile)
    await before.close()
  }

  /** Writes a line synchronously, just before the process ends. */
  lastWords(text: string): void {
    this.#sink.writeNow({ level: 'error', time: new Date(), text })
  }

  close(): Promise<void> {
    return this.#sink.close()
  }
}
