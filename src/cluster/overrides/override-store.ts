/**
 * The overrides of the site in Redis: one hash, a field for each override, and for each window that was ended early. Each write names the change that it replaces,
 * so that nobody overwrites what he does not know.
 */
import { randomBytes } from 'node:crypto'
import { REDIS_KEYS } from '../../core/redis-keys.js'
import { runSliced, type Sliced } from '../../util/time-slice.js'
import type { SiteRedis } from '../redis/site-redis.js'
import { entryOf, type OverrideEntry } from './shared-value.js'

export interface EntryWrite {
  readonly id: string
  /** The change that the store must have; '': none. */
  readonly expected: string
  /** Null: the store forgets the entry. */
  readonly entry: OverrideEntry | null
}

export interface StoredOverrides {
  /** Another one after each write. */
  readonly revision: string
  readonly entries: ReadonlyMap<string, OverrideEntry>
}

/** Where the directors of a site keep their overrides. All of it rejects while that cannot be reached. */
export interface OverrideStore {
  /** Returns the present revision; '' while there are no entries. */
  revision(): Promise<string>
  read(): Promise<StoredOverrides>
  /** Writes all, or nothing: then the answer has the ids whose change is not the expected one. */
  write(writes: readonly EntryWrite[]): Promise<readonly string[]>
  /** Calls `listener` after writes of any director, and when some may have been missed. Returns a function that ends it. */
  onNews(listener: () => void): () => void
}

/** Overrides of a site that are read, and characters of them. */
export const MOST_ENTRIES = 50_000
const MOST_SIZE = 64 << 20
/** Entries that one page should have, and pages. Redis may give a few more, and the same twice. */
const PAGE = 500
const MOST_PAGES = 2000

/** The field with the revision. No id is so short. */
const REVISION = '#'

/** Compares all changes, then writes all. A field whose text is damaged counts as absent. */
const WRITE = `
local changed = {}
for i = 4, #ARGV, 3 do
  local held = redis.call('HGET', KEYS[1], ARGV[i])
  local change = ''
  if held then
    local isJson, entry = pcall(cjson.decode, held)
    if isJson and type(entry) == 'table' and type(entry.change) == 'string' then change = entry.change end
  end
  if change ~= ARGV[i + 1] then changed[#changed + 1] = ARGV[i] end
end
if #changed > 0 then return changed end
for i = 4, #ARGV, 3 do
  if ARGV[i + 2] == '' then redis.call('HDEL', KEYS[1], ARGV[i])
  else redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 2]) end
end
redis.call('HSET', KEYS[1], '${REVISION}', ARGV[3])
redis.call('PEXPIRE', KEYS[1], ARGV[2])
redis.call('PUBLISH', ARGV[1], ARGV[3])
return changed`

export class RedisOverrideStore implements OverrideStore {
  readonly #redis: SiteRedis

  constructor(redis: SiteRedis) {
    this.#redis = redis
  }

  get #key(): string {
    return this.#redis.key('overrides')
  }

  async revision(): Promise<string> {
    return String((await this.#redis.run('HGET', [this.#key, REVISION])) ?? '')
  }

  async read(): Promise<StoredOverrides> {
    // Before the entries: a write in between has another revision, so that all is read again.
    const revision = await this.revision()
    await this.#redis.run('HLEN', [this.#key], {
      refuse: count => (Number(count) > MOST_ENTRIES ? `more than ${MOST_ENTRIES} overrides` : null),
    })
    const fields = await this.#readAll()
    fields.delete(REVISION)
    return { revision, entries: await runSliced(entriesOf(fields)) }
  }

  /** Reads all fields in pages. HGETALL would have them in one answer, of any size. */
  async #readAll(): Promise<Map<string, string>> {
    const fields = new Map<string, string>()
    let cursor = '0'
    let [pages, entries, size] = [0, 0, 0]
    const refuse = (answer: unknown) => {
      const { words } = pageOf(answer)
      for (const word of words) size += word.length
      entries += words.length / 2
      if (size > MOST_SIZE) return `more than ${MOST_SIZE >> 20} MiB of overrides`
      const isEndless = ++pages > MOST_PAGES || entries > 2 * MOST_ENTRIES
      return isEndless ? `no end after ${pages} pages` : null
    }
    const isPart = (answer: unknown) => pageOf(answer).cursor !== '0'
    do {
      const answer = await this.#redis.run('HSCAN', [this.#key, cursor, 'COUNT', PAGE], { refuse, isPart })
      const page = pageOf(answer)
      for (const [id, text] of pairsOf(page.words)) fields.set(id, text)
      cursor = page.cursor
    } while (cursor !== '0')
    return fields
  }

  async write(writes: readonly EntryWrite[]): Promise<readonly string[]> {
    const args = writes.flatMap(({ id, expected, entry }) => [
      id,
      expected,
      entry ? JSON.stringify(entry) : '',
    ])
    const channel = this.#redis.key('overrides')
    const changed = await this.#redis.script(
      WRITE,
      [this.#key],
      [
        channel,
        REDIS_KEYS.overrides.expiry,
        // Not a count: after a loss of all data it would come to the same number again.
        randomBytes(8).toString('hex'),
        ...args,
      ],
    )
    return Array.isArray(changed) ? changed.map(String) : []
  }

  onNews(listener: () => void): () => void {
    let channel = ''
    let end = () => {}
    // A reload may change the name of the site.
    const follow = () => {
      if (channel === this.#key) return
      end()
      channel = this.#key
      end = this.#redis.subscribe(channel, listener, listener)
    }
    follow()
    const endFollowing = this.#redis.onChange(follow)
    return () => {
      endFollowing()
      end()
    }
  }
}

/** The answer to HSCAN: where the next page begins, and names and texts in turn. */
function pageOf(answer: unknown): { readonly cursor: string; readonly words: readonly string[] } {
  const [cursor, words] = Array.isArray(answer) ? answer : []
  return { cursor: String(cursor ?? '0'), words: Array.isArray(words) ? words.map(String) : [] }
}

function* entriesOf(fields: ReadonlyMap<string, string>): Sliced<ReadonlyMap<string, OverrideEntry>> {
  const entries = new Map<string, OverrideEntry>()
  for (const [id, text] of fields) {
    const entry = entryOf(text)
    if (entry) entries.set(id, entry)
    yield
  }
  return entries
}

function* pairsOf(words: readonly string[]): Iterable<readonly [string, string]> {
  for (let i = 0; i + 1 < words.length; i += 2) yield [words[i] ?? '', words[i + 1] ?? '']
}
