/** Converts keys to the names that the code uses: `log-level` becomes `logLevel`. */
type Camel<K> = K extends `${infer A}-${infer B}` ? `${A}${Capitalize<Camel<B>>}` : K

/** The type with converted keys, including those of nested objects. */
export type CamelKeys<T> = T extends readonly unknown[]
  ? Readonly<T>
  : T extends object
    ? { readonly [K in keyof T as Camel<K>]: CamelKeys<T[K]> }
    : T

/** The keys of the schema: a configuration has each of them for thousands of servers. */
const known = new Map<string, string>()

/** `key`: one of the schema. */
export function camelKey(key: string): string {
  let name = known.get(key)
  if (name === undefined) {
    name = key.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase())
    known.set(key, name)
  }
  return name
}
