/** Each declared field reads what its own schema allows, and refuses what that does not. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { apiEndpoints } from '@zund/contract/api/endpoints/index.ts'
import { USUAL_OPTIONS } from '@zund/contract/api/limits.ts'
import { FieldError, type Field } from '@zund/contract/fields/field.ts'
import { describeField } from '@zund/contract/fields/read.ts'
import { Ajv2020 } from 'ajv/dist/2020.js'

const MINOR = 40
const ajv = new Ajv2020({ strict: false, allowUnionTypes: true })

const COMMON: readonly unknown[] = [
  '',
  ' ',
  'a',
  'ab',
  'Ab-1_.',
  '-ab',
  '/a',
  '/proc/1',
  'a\0b',
  '0',
  '1',
  '7',
  '1.5',
  '.5',
  '.',
  '-1',
  '1e3',
  '12m',
  'true',
  'True',
  'TRUE',
  'False',
  'yes',
  'None',
  'always',
  'Always',
  'asc',
  'shared',
  'é'.repeat(40),
  0,
  1,
  7,
  -1,
  1.5,
  2_000_000_001,
  true,
  false,
  [],
  ['a'],
  ['a', 1],
  [null],
  {},
  { a: 'b' },
  { a: 1 },
  { a: [] },
  { 'a=b': 'c' },
]

/** At each limit of a schema, and just beyond. */
function edges(schema: unknown): unknown[] {
  if (Array.isArray(schema)) return schema.flatMap(edges)
  if (typeof schema !== 'object' || schema === null) return []
  const { minLength, maxLength, minimum, maximum, maxItems } = schema as Record<string, number | undefined>
  const { enum: values } = schema as { enum?: readonly unknown[] }
  const texts = [minLength, maxLength].flatMap((n) => (n === undefined ? [] : [n - 1, n, n + 1]))
  const numbers = [minimum, maximum].flatMap((n) => (n === undefined ? [] : [n - 1, n, n + 1]))
  return [
    ...texts.filter((n) => n >= 0).map((n) => 'a'.repeat(n)),
    ...numbers.flatMap((n) => [n, String(n)]),
    ...(maxItems === undefined ? [] : [maxItems, maxItems + 1].map((n) => Array.from({ length: n }, () => ({})))),
    ...(values ?? []),
    ...Object.values(schema).flatMap(edges),
  ]
}

function reads(field: Field, value: unknown): boolean {
  try {
    field.read(value, 'field', MINOR)
    return true
  } catch (error) {
    assert.ok(error instanceof FieldError, String(error))
    assert.ok(error.message.length < 1_000)
    return false
  }
}

/** The schema of these allows more than is taken: it tells the rest in words, or is of numbers as text. */
const MORE_IN_WORDS = new Set([
  'cpu',
  'memory',
  'disk',
  'containers',
  'workdir',
  'environment',
  'labels',
  'exposed_ports',
  'nets',
  'mounts',
  'healthcheck',
  'restart_policy',
  'timeout',
  'h',
  'w',
  'size',
  'auto_remove',
])

/** Of these more is taken than the schema tells: it means nothing, or is looked at later with what it is needed for. */
const LATER = new Set([
  'sort_dir',
  'usages',
  'marker',
  'sort_key',
  'limit',
  'signal',
  'command',
  'template',
  'expand',
  'resource_url',
  'name',
])

for (const { id, args, body = {} } of Object.values(apiEndpoints(USUAL_OPTIONS))) {
  const fields: [string, Field][] = [...Object.entries<Field>(args), ...Object.entries<Field>(body)]
  if (fields.length === 0) continue
  test(`${id} takes what its schema allows`, () => {
    for (const [name, field] of fields) {
      const schema = describeField({ ...field, refusesNull: '' }, MINOR)
      const isAllowed = ajv.compile(schema)
      for (const value of [...COMMON, ...edges(schema)]) {
        const [taken, allowed] = [reads(field, value), isAllowed(value)]
        const about = `${name}: ${JSON.stringify(value)?.slice(0, 100)} and ${JSON.stringify(schema).slice(0, 500)}`
        if (taken && !LATER.has(name)) assert.ok(allowed, `it is taken, and not allowed: ${about}`)
        const hasNul = typeof value === 'string' && value.includes('\0')
        if (allowed && !hasNul && !MORE_IN_WORDS.has(name)) assert.ok(taken, `it is allowed, and not taken: ${about}`)
      }
    }
  })
}
