import type { CompiledQuery, Compilable, Kysely, QueryResult } from 'kysely'
import type { Schema } from './schema.ts'

/** Stands for a value while the text of a query is made. */
class Slot {
  readonly name: string

  constructor(name: string) {
    this.name = name
  }
}

export type Prepared<P extends object, R> = (db: Kysely<Schema>, values: P) => Promise<QueryResult<R>>

/**
 * A query whose text is made once per database: building it takes several times as long as running it. `build` gets
 * slots in the shape of the values and must use them only as values: not compare, compute with or spread them.
 */
export function prepared<P extends object, R>(build: (db: Kysely<Schema>, values: P) => Compilable<R>): Prepared<P, R> {
  const made = new WeakMap<Kysely<Schema>, CompiledQuery<R>>()
  // The query builder takes any object for a value and passes it through; nobody else ever sees these.
  const slots = new Proxy({}, { get: (_, name) => new Slot(String(name)) }) as P
  return async (db, values) => {
    let query = made.get(db)
    if (query === undefined) {
      query = build(db, slots).compile()
      made.set(db, query)
    }
    const given = values as Readonly<Record<string, unknown>>
    const parameters = query.parameters.map((p) => (p instanceof Slot ? given[p.name] : p))
    return await db.executeQuery({ ...query, parameters })
  }
}
