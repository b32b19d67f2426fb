/** What is wrong with the director itself, each in one sentence. Pure. */
import type { OverviewDocument } from './api-types.js'
import { agoText, asSentence, counted, nameAndKey } from './text.js'

/** Milliseconds: if more than one start in a hundred is later than this, the machine is too slow or held up. */
const LATE = 500

export interface DirectorTrouble {
  readonly text: string
  /** The view that says more. */
  readonly view: 'plan' | 'director'
}

type Known = Pick<
  OverviewDocument,
  'now' | 'config' | 'lastReload' | 'reconcile' | 'schedule' | 'alerts' | 'isolation' | 'cluster'
>

/** The worst first. A refused reload is not named a second time as an invalid file. */
export function directorTroubles(overview: Known): DirectorTrouble[] {
  const { config, lastReload, reconcile, schedule, alerts, isolation, cluster } = overview
  const now = Date.parse(overview.now)
  const told: (DirectorTrouble | null)[] = [
    isolation && {
      text: `lvsd is isolated: ${isolation.detail}. Failed checks do not count.`,
      view: 'director',
    },
    cluster?.connectivity?.lost
      ? {
          text: `The network of this director is lost: ${cluster.connectivity.lost.detail}. The table stays.`,
          view: 'director',
        }
      : null,
    cluster && cluster.trouble !== null ? { text: asSentence(cluster.trouble), view: 'director' } : null,
    cluster?.activeTrouble ? { text: asSentence(cluster.activeTrouble), view: 'director' } : null,
    cluster?.redis?.state === 'away'
      ? {
          text: `Redis at ${cluster.redis.place} is away for ${agoText(cluster.redis.since, now)}: ${ended(cluster.redis.detail ?? '')}`,
          view: 'director',
        }
      : null,
    lastReload && !lastReload.ok
      ? {
          text: `${lastReload.isStart ? 'The start refused the configuration file' : 'A reload was refused'} ${agoText(lastReload.at, now)} ago: ${ended(lastReload.message)}`,
          view: 'plan',
        }
      : config.keptSince === null
        ? null
        : {
            text: `The configuration file is invalid: that of ${agoText(config.keptSince, now)} ago is in force.`,
            view: 'plan',
          },
    config.unkept
      ? {
          text: `The state folder ${config.unkept.folder} cannot be written (${config.unkept.error}): a later start with a broken file would fail.`,
          view: 'director',
        }
      : null,
    ...(alerts?.destinations ?? [])
      .filter(({ isFailing }) => isFailing)
      .map(each => ({ text: failingAlerts(each), view: 'director' as const })),
    ...reconcile.errors.map(error => ({ text: asSentence(error), view: 'director' as const })),
    ...reconcile.disputes.map(({ service, name, changes, since }) => ({
      text: `Another program keeps changing ${nameAndKey(name, service)}: ${counted(changes, 'change')} in ${agoText(since, now)}.`,
      view: 'director' as const,
    })),
    schedule.lateness.p99 > LATE
      ? { text: `Checks start late: up to ${Math.round(schedule.lateness.p99)} ms (99 %).`, view: 'director' }
      : null,
  ]
  return told.filter(each => each !== null)
}

type AlertDestination = NonNullable<OverviewDocument['alerts']>['destinations'][number]

/** `Alerts do not reach pager (webhook): refused; 3 messages wait, 1 is lost.` */
export function failingAlerts({ destination, kind, lastError, waiting, lost }: AlertDestination): string {
  const counts = [
    ...(waiting > 0 ? [`${counted(waiting, 'message')} ${waiting === 1 ? 'waits' : 'wait'}`] : []),
    ...(lost > 0 ? [`${lost} ${lost === 1 ? 'is' : 'are'} lost`] : []),
  ].join(', ')
  const parts = [`Alerts do not reach ${destination} (${kind})`, lastError ?? 'no attempt has succeeded']
  return `${parts.join(': ')}${counts === '' ? '' : `; ${counts}`}.`
}

function ended(text: string): string {
  return text.endsWith('.') ? text : `${text}.`
}
