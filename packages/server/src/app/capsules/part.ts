import {
  bad,
  booleanField,
  isObject,
  missing,
  numberField,
  refuseUnknownFields,
  textField,
  type Body,
  type TextLimits,
} from '../fields.ts'

/** One object of a template, whose checks name the path from the body's root, as in `template.spec.containers[1].env`. */
export class Part {
  readonly path: string
  readonly #value: Body

  constructor(value: unknown, path: string) {
    if (!isObject(value)) throw bad(path, value, 'It is not an object')
    this.#value = value
    this.path = path
  }

  /** null is not what is meant where a value may be left out, except in the fields named here. */
  refuseNull(except: readonly string[] = []): void {
    for (const [name, value] of Object.entries(this.#value)) {
      if (value === null && !except.includes(name)) throw bad(this.at(name), value, 'It must not be null')
    }
  }

  refuseUnknown(known: readonly string[]): void {
    refuseUnknownFields(this.#value, known, this.path)
  }

  at(name: string): string {
    return `${this.path}.${name}`
  }

  raw(name: string): unknown {
    return this.#value[name]
  }

  get isEmpty(): boolean {
    return Object.keys(this.#value).length === 0
  }

  text(name: string, limits: TextLimits = {}): string | undefined {
    return textField(this.#named(name), this.at(name), limits)
  }

  /** One of the given texts, exactly. */
  choice(name: string, known: readonly string[]): string | undefined {
    const value = this.#value[name]
    if (value === undefined || value === null) return undefined
    if (typeof value === 'string' && known.includes(value)) return value
    throw bad(this.at(name), value, `It is not one of ${known.join(', ')}`)
  }

  number(name: string, limits: Parameters<typeof numberField>[2]): number | undefined {
    return numberField(this.#named(name), this.at(name), limits)
  }

  boolean(name: string): boolean | undefined {
    return booleanField(this.#named(name), this.at(name))
  }

  part(name: string): Part | undefined {
    const value = this.#value[name]
    return value === undefined || value === null ? undefined : new Part(value, this.at(name))
  }

  neededPart(name: string): Part {
    const part = this.part(name)
    if (part === undefined) throw missing(this.at(name))
    return part
  }

  /** Its items with their paths, `most` at most. */
  list(name: string, most: number): { readonly item: unknown; readonly path: string }[] | undefined {
    const value = this.#value[name]
    if (value === undefined || value === null) return undefined
    const path = this.at(name)
    if (!Array.isArray(value)) throw bad(path, value, 'It is not a list')
    if (value.length > most) throw bad(path, value.length, `There must be at most ${most}`)
    return value.map((item: unknown, i) => ({ item, path: `${path}[${i}]` }))
  }

  parts(name: string, most: number): Part[] {
    return (this.list(name, most) ?? []).map(({ item, path }) => new Part(item, path))
  }

  /** Names and values of an object, `most` at most. */
  entries(name: string, most: number): [string, unknown][] | undefined {
    const value = this.#value[name]
    if (value === undefined || value === null) return undefined
    const path = this.at(name)
    if (!isObject(value)) throw bad(path, value, 'It is not an object')
    const entries = Object.entries(value)
    if (entries.length > most) throw bad(path, entries.length, `There must be at most ${most}`)
    return entries
  }

  #named(name: string): Body {
    return { [this.at(name)]: this.#value[name] }
  }
}
