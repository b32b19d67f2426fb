/** Formats the findings of doctor for people. Pure. */
import { type Finding, SEVERITIES, type Severity } from '../../doctor/finding.js'
import { type Paint, painter, type Style } from '../../util/paint.js'
import { counted } from '../../util/plural.js'
import { printable } from '../../util/printable.js'
import { wrap } from '../../util/wrap-text.js'

export interface DoctorView {
  /** Columns of the screen; unlimited in a pipe. */
  readonly width: number
  readonly colour: boolean
  /** Whether to show the hazards that are absent. */
  readonly all: boolean
  /** Null if only the machine was examined. */
  readonly file: string | null
  readonly isRoot: boolean
}

/** Columns of a paragraph, in a pipe and on a wide screen too: longer lines are hard to read. */
const WIDTH = 80
const NARROW = 40

const HEADS: Readonly<Record<Severity, readonly [Style, string]>> = {
  error: ['red', 'Errors: the service does not work, or not for all clients'],
  warning: ['yellow', 'Warnings: clients suffer when a server fails, or the load rises'],
  note: ['cyan', 'Notes: worth knowing, perhaps on purpose'],
  'not known': ['yellow', 'Not known: it could not be read'],
  ok: ['green', 'Well'],
}

export function renderFindings(findings: readonly Finding[], view: DoctorView): string {
  const paint = painter(view.colour)
  const width = Math.max(NARROW, Math.min(WIDTH, view.width))
  const groups = SEVERITIES.filter(severity => severity !== 'ok' || view.all).flatMap(severity => {
    const own = findings.filter(finding => finding.severity === severity)
    return own.length > 0 ? [group(severity, own, width, paint)] : []
  })
  return [...groups, ending(findings, view, width, paint)].join('\n\n')
}

function group(severity: Severity, findings: readonly Finding[], width: number, paint: Paint): string {
  const [style, head] = HEADS[severity]
  const isShort = severity === 'ok' || severity === 'not known'
  const blocks = findings.map(finding => block(finding, style, width, paint))
  return [paint('bold', paint(style, indented(head, 0, width))), blocks.join(isShort ? '\n' : '\n\n')].join(
    isShort ? '\n' : '\n\n',
  )
}

function block(finding: Finding, style: Style, width: number, paint: Paint): string {
  const { id, title, text, services, commands } = finding
  const lines = indented(printable(`${id}: ${title}`), 2, width, 4)
  return [
    `${paint(style, lines.slice(0, id.length + 3))}${lines.slice(id.length + 3)}`,
    ...(text === '' ? [] : [indented(printable(text), 4, width)]),
    ...(services.length === 0 ? [] : [indented(printable(serviceLine(services)), 4, width, 6)]),
    // A command stays on one line, so that it can be copied.
    ...commands.map(command => `      ${paint('bold', printable(command))}`),
  ].join('\n')
}

const MOST_NAMED = 10

function serviceLine(services: readonly string[]): string {
  const more = services.length - MOST_NAMED
  const word = services.length === 1 ? 'Service' : 'Services'
  return `${word}: ${services.slice(0, MOST_NAMED).join(', ')}${more > 0 ? ` and ${more} more` : ''}`
}

/** Breaks a text into lines below `width`; lines after the first are indented by `hanging`. */
function indented(text: string, indent: number, width: number, hanging = indent): string {
  const [first = '', ...rest] = wrap(text, width - hanging).split('\n')
  return [' '.repeat(indent) + first, ...rest.map(line => ' '.repeat(hanging) + line)].join('\n')
}

function ending(findings: readonly Finding[], view: DoctorView, width: number, paint: Paint): string {
  const count = (severity: Severity) => findings.filter(finding => finding.severity === severity).length
  const counts = [
    ...(['error', 'warning', 'note'] as const).flatMap(severity =>
      count(severity) > 0 ? counted(count(severity), severity) : [],
    ),
    ...(count('not known') > 0 ? [`${count('not known')} not known`] : []),
    `${count('ok')} well${view.all || count('ok') === 0 ? '' : ' (--all shows them)'}`,
  ]
  const judged =
    view.file === null ? 'this machine, without a configuration' : `this machine for ${view.file}`
  const style = count('error') > 0 ? 'red' : count('warning') > 0 ? 'yellow' : 'green'
  const isSet = findings.some(({ commands }) => commands.some(command => command.startsWith('sysctl -w ')))
  return [
    paint(style, indented(printable(`${judged}: ${counts.join(', ')}`), 0, width)),
    ...(isSet
      ? [
          indented(
            'What sysctl -w sets is gone after a reboot. To keep it, write it under "sysctls:" in the configuration, or into a file of /etc/sysctl.d.',
            0,
            width,
          ),
        ]
      : []),
    ...(view.isRoot || count('not known') === 0 ? [] : ['Run as root (sudo), doctor sees more.']),
  ].join('\n')
}
