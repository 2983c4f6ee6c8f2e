/** A JSON Schema for its reader. */
import { code, escaped, prose, type Html } from './html.ts'

type Schema = Readonly<Record<string, unknown>>

export function anchorOf(name: string): string {
  return `schema-${name}`
}

export function schemaHtml(schema: unknown): Html {
  if (!isSchema(schema)) return ''
  const about = schema['description'] === undefined ? '' : `<p>${prose(schema['description'])}</p>`
  return `<div class="schema">${oneLine(schema)}${about}${partsHtml(schema)}</div>`
}

function oneLine(schema: Schema): Html {
  const { $ref: reference, type, enum: values, const: only } = schema
  if (typeof reference === 'string') {
    const name = reference.split('/').at(-1) ?? ''
    return `<a href="#${escaped(anchorOf(name))}">${code(name)}</a>`
  }
  const words = [
    ...(type === undefined ? [] : [[type].flat().map(escaped).join(' or ')]),
    ...(Array.isArray(values) ? [`one of ${values.map(code).join(' ')}`] : []),
    ...(only === undefined ? [] : [code(only)]),
    ...LIMITS.flatMap(([key, word]) => (schema[key] === undefined ? [] : [`${word} ${code(schema[key])}`])),
  ]
  return words.join(', ')
}

const LIMITS = [
  ['minimum', 'at least'],
  ['maximum', 'at most'],
  ['minLength', 'characters at least'],
  ['maxLength', 'characters at most'],
  ['minItems', 'items at least'],
  ['maxItems', 'items at most'],
  ['pattern', 'like'],
] as const

function partsHtml({ properties, required, items, anyOf, additionalProperties, patternProperties }: Schema): Html {
  const needed: readonly unknown[] = Array.isArray(required) ? required : []
  const names = isSchema(properties) ? Object.entries(properties) : []
  const rows = names.map(
    ([name, one]) =>
      `<tr><th>${code(name)}</th><td>${needed.includes(name) ? '' : 'optional'}</td><td>${schemaHtml(one)}</td></tr>`,
  )
  const values = isSchema(patternProperties) ? Object.values(patternProperties)[0] : additionalProperties
  return [
    rows.length === 0 ? '' : `<table>${rows.join('')}</table>`,
    items === undefined ? '' : `each: ${schemaHtml(items)}`,
    Array.isArray(anyOf) ? `<ul>${anyOf.map((one: unknown) => `<li>${schemaHtml(one)}</li>`).join('')}</ul>` : '',
    isSchema(values) ? `values: ${schemaHtml(values)}` : '',
  ].join('')
}

function isSchema(value: unknown): value is Schema {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
