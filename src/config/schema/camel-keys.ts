/** Converts keys to the names that the code uses: `log-level` becomes `logLevel`. */
type Camel<K> = K extends `${infer A}-${infer B}` ? `${A}${Capitalize<Camel<B>>}` : K

/** The type with converted keys, including those of nested objects. */
export type CamelKeys<T> = T extends readonly unknown[]
  ? Readonly<T>
  : T extends object
    ? { readonly [K in keyof T as Camel<K>]: CamelKeys<T[K]> }
    : T

export function camelKey(key: string): string {
  return key.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase())
}
