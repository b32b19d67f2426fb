/** The directors of the site: who is active, and whose configuration differs. */
import type { OverviewDocument } from './api-types.js'
import { agoText, counted } from './text.js'

export function Directors({ overview }: { overview: OverviewDocument }) {
  const { cluster } = overview
  if (!cluster) return null
  const now = Date.parse(overview.now)
  const { verdicts } = cluster
  const shares = new Map(verdicts?.shares.map(share => [share.id, share]))
  return (
    <section class="directors">
      <h2>Directors of {cluster.site}</h2>
      <table>
        <thead>
          <tr>
            <th scope="col">Director</th>
            <th scope="col">Role</th>
            <th scope="col">Last sign</th>
            {verdicts && <th scope="col">Verdicts, oldest</th>}
            <th scope="col">Configuration</th>
          </tr>
        </thead>
        <tbody>
          {cluster.directors.map(({ id, host, isSelf, role, seenAt, differs, version, goneAt }) => (
            <tr key={id} class={goneAt === null ? '' : 'gone'}>
              <th scope="row">
                {host}
                {isSelf && ' (this)'} <small>{version}</small>
              </th>
              <td>{goneAt === null ? role : 'gone'}</td>
              <td>{isSelf ? 'now' : `${agoText(seenAt, now)} ago`}</td>
              {verdicts && <td>{shareText(shares.get(id))}</td>}
              <td>{goneAt !== null ? '–' : differs === null ? 'the same' : differenceText(differs)}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {verdicts && (
        <p>
          {counted(verdicts.observers, 'director')} {verdicts.observers === 1 ? 'runs' : 'run'} each check:
          this one runs {verdicts.asked} and hears of {verdicts.heard}.
          {verdicts.disputed > 0 && ` Of ${counted(verdicts.disputed, 'check')} they say different things.`}
        </p>
      )}
    </section>
  )
}

type Share = NonNullable<NonNullable<OverviewDocument['cluster']>['verdicts']>['shares'][number]

/** `150, 1.2 s`: how many, and the age of the oldest result. */
function shareText(share: Share | undefined): string {
  if (!share) return '–'
  const { verdicts, oldestSeconds } = share
  return oldestSeconds === null ? `${verdicts}` : `${verdicts}, ${oldestSeconds.toFixed(1)} s`
}

function differenceText(names: readonly string[]): string {
  return names.length === 0 ? 'differs' : `differs: ${names.join(', ')}`
}
