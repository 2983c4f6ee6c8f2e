/** The parameters of a list (api-conventions 7). Given several times, the last one counts; empty is absent. */
import { badArgument, type Field } from './field.ts'

const INVALID_VALUE = 'invalid-value'

export type PageFields = {
  readonly limit: Field<number | undefined, number | string>
  readonly marker: Field<string | undefined, string>
  readonly sort_key: Field<string | undefined, string>
  readonly sort_dir: Field<'asc' | 'desc' | undefined, 'asc' | 'desc'>
}

export function pageFields(largest: number, keys: readonly string[]): PageFields {
  return {
    limit: {
      about: `Items of a page; more than ${largest} are not given.`,
      schema: () => ({ type: 'integer', minimum: 1 }),
      read: once((text) => {
        if (!/^[1-9][0-9]{0,8}$/.test(text)) {
          throw badArgument('limit', text, 'It must be a positive integer', INVALID_VALUE)
        }
        return Math.min(Number(text), largest)
      }),
    },
    marker: {
      about: 'Id of the last item of the page before.',
      schema: () => ({ type: 'string' }),
      read: once((text) => text),
    },
    // What may be sorted by is known where the rows are.
    sort_key: { schema: () => ({ type: 'string', enum: [...keys] }), read: once((text) => text) },
    sort_dir: {
      schema: () => ({ type: 'string', enum: ['asc', 'desc'], default: 'asc' }),
      read: once((text) => {
        if (text === 'asc' || text === 'desc') return text
        throw badArgument('sort_dir', text, 'It must be asc or desc', INVALID_VALUE)
      }),
    },
  }
}

function once<Out>(read: (text: string) => Out): (value: unknown) => Out | undefined {
  return (value) => {
    const text = lastText(value)
    return text === undefined ? undefined : read(text)
  }
}

/** Of an argument that makes sense only once. */
export function lastText(value: unknown): string | undefined {
  const last: unknown = Array.isArray(value) ? value.at(-1) : value
  return typeof last !== 'string' || last === '' || last === 'None' ? undefined : last
}
