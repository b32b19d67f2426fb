/** Real servers with several addresses: one machine, with a real server of its service for each address. Pure. */

/** For each such machine the names of its real servers, in the order of the configuration. */
export type Multihomed = readonly (readonly string[])[]

/** Returns the names of all addresses of the machine that has the real server of this name; of most that name alone. */
export function addressesOf(name: string, multihomed: Multihomed = []): readonly string[] {
  return multihomed.find(names => names.includes(name)) ?? [name]
}
