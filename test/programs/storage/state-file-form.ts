import type { EntryForm } from '../../../src/storage/state-file.js'

export interface Round {
  readonly round: number
  readonly i: number
}

export const FORM: EntryForm<Round> = { name: 'rounds', version: 1, read: value => value as Round }
