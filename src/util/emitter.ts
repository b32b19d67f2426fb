/** Publishes events, each by its name and with its own details. */
export interface Emitter<Events extends { readonly [Name in keyof Events]: unknown[] }> {
  emit<Name extends keyof Events>(event: Name, ...details: Events[Name]): void
  /** Whether anybody listens. Spares whoever publishes what nobody hears. */
  hears(event: keyof Events): boolean
}
