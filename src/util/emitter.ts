/** Publishes events. Each event has a name and typed details. */
export interface Emitter<Events extends { readonly [Name in keyof Events]: unknown[] }> {
  emit<Name extends keyof Events>(event: Name, ...details: Events[Name]): void
  /** True if the event has a listener. A publisher can skip the work for an event without one. */
  hears(event: keyof Events): boolean
}
