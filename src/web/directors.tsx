/** The directors of the site: who is active, and whose configuration differs. */
import type { OverviewDocument } from './api-types.js'
import { agoText } from './text.js'

export function Directors({ overview }: { overview: OverviewDocument }) {
  const { cluster } = overview
  if (!cluster) return null
  const now = Date.parse(overview.now)
  return (
    <section class="directors">
      <h2>Directors of {cluster.site}</h2>
      <table>
        <thead>
          <tr>
            <th scope="col">Director</th>
            <th scope="col">Role</th>
            <th scope="col">Last sign</th>
            <th scope="col">Configuration</th>
          </tr>
        </thead>
        <tbody>
          {cluster.directors.map(({ id, host, isSelf, role, seenAt, differs, version }) => (
            <tr key={id}>
              <th scope="row">
                {host}
                {isSelf && ' (this)'} <small>{version}</small>
              </th>
              <td>{role}</td>
              <td>{isSelf ? 'now' : `${agoText(seenAt, now)} ago`}</td>
              <td>{differs === null ? 'the same' : differenceText(differs)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  )
}

function differenceText(names: readonly string[]): string {
  return names.length === 0 ? 'differs' : `differs: ${names.join(', ')}`
}
