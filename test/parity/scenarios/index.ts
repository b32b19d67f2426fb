/** All scenarios, grouped in batches that can share a file. */
import { MAIL_SERVER } from '../mail-sink.js'
import type { Batch } from '../scenario.js'
import { basics } from './basics.js'
import { commands, quickCheckTypes, slowCheckTypes } from './check-types.js'
import { fallbacks } from './fallbacks.js'
import { readdquiescent, withGlobals } from './globals.js'
import { autoreload, fallbackCommands, forked, monitored, tellers } from './hooks.js'
import { mails } from './mails.js'
import { brokenReload, reloads } from './reloads.js'
import { deadlyServices, services, slowServices, trusted } from './services.js'
import { stops } from './stops.js'
import { tables } from './tables.js'

/** The labs take batches from this list, so the longest come first. */
export const batches: readonly Batch[] = [
  { name: 'slow checks', files: commands, scenarios: [...slowCheckTypes, ...slowServices] },
  { name: 'services', environment: trusted, scenarios: services },
  { name: 'servers and fallbacks', scenarios: [...basics, ...fallbacks] },
  { name: 'tables and checks', scenarios: [...tables, ...quickCheckTypes] },
  {
    name: 'globals',
    globals: `
      fallback=G:80 masq
      maintenancedir=DIR/maintenance`,
    files: { 'maintenance/README': 'Files of this folder hold servers down.\n' },
    scenarios: withGlobals,
  },
  { name: 'reloads', scenarios: reloads },
  { name: 'readdquiescent', globals: 'readdquiescent=yes', scenarios: readdquiescent },
  { name: 'stops', scenarios: stops },
  {
    name: 'commands',
    globals: 'fallbackcommand=DIR/fallback',
    files: tellers,
    scenarios: fallbackCommands,
  },
  {
    name: 'mails',
    globals: `
      smtp=${MAIL_SERVER}
      emailalertfrom=director@lab.example
      emailalertstatus=running, stopping`,
    scenarios: mails,
  },
  { name: 'monitorfiles', scenarios: monitored },
  { name: 'forks', globals: 'fork=yes', scenarios: forked },
  {
    name: 'autoreload',
    globals: `
      autoreload=yes
      callback="DIR/callback"`,
    files: tellers,
    isUnsignalled: true,
    scenarios: autoreload,
  },
  { name: 'a broken file', scenarios: brokenReload },
  { name: 'the end of ldirectord', scenarios: deadlyServices },
]
