/** The page at `/docs`: one HTML text that needs nothing else, no script among it. */
import { createHash } from 'node:crypto'
import type { OpenApiDocument, Operation } from '@zund/contract/api/openapi.ts'
import { code, escaped, prose, type Html } from './html.ts'
import { anchorOf, schemaHtml } from './schema-html.ts'
import { STYLE } from './style.ts'

export const PAGE_HEADERS = {
  'content-security-policy': [
    "default-src 'none'",
    `style-src 'sha256-${createHash('sha256').update(STYLE).digest('base64')}'`,
    "form-action 'self'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
  ].join('; '),
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  // What it says depends on the options of the service, which change with it.
  'cache-control': 'no-cache',
}

interface Placed {
  readonly method: string
  readonly path: string
  readonly operation: Operation
}

export function renderPage(document: OpenApiDocument): Html {
  const title = String(document.info['title'])
  const version = String(document.info['version'])
  const operations = Object.entries(document.paths).flatMap(([path, item]) =>
    Object.entries(item).map(([method, operation]): Placed => ({ method: method.toUpperCase(), path, operation })),
  )
  const tags = document.tags.filter(({ name }) => operations.some(({ operation }) => operation.tags.includes(name)))
  return `<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escaped(title)} ${escaped(version)}</title><style>${STYLE}</style></head><body>
<header><h1>${escaped(title)}</h1>${versionForm(document, version)}
<p><a href="openapi.json?version=${escaped(version)}">openapi.json</a></p></header>
<nav><ul>${tags.map(({ name }) => `<li><a href="#tag-${anchor(name)}">${escaped(name)}</a></li>`).join('')}<li><a href="#schemas">schemas</a></li></ul></nav>
<main>${tags.map(({ name }) => tagHtml(name, operations)).join('')}
<section id="schemas"><h2>schemas</h2>${Object.entries(document.components.schemas)
    .map(
      ([name, schema]) =>
        `<details id="${anchorOf(name)}"><summary>${code(name)}</summary>${schemaHtml(schema)}</details>`,
    )
    .join('')}</section></main></body></html>
`
}

function versionForm({ info }: OpenApiDocument, shown: string): Html {
  const [least, most] = [info['x-min-version'], info['x-max-version']].map((text) => Number(String(text).split('.')[1]))
  const versions = Array.from({ length: (most ?? 1) - (least ?? 1) + 1 }, (_, i) => `1.${(most ?? 1) - i}`)
  const options = versions.map((one) => `<option${one === shown ? ' selected' : ''}>${one}</option>`).join('')
  return `<form><label>Microversion <select name="version">${options}</select></label> <button>show</button></form>`
}

function tagHtml(tag: string, operations: readonly Placed[]): Html {
  const mine = operations.filter(({ operation }) => operation.tags.includes(tag))
  return `<section id="tag-${anchor(tag)}"><h2>${escaped(tag)}</h2>${mine.map(operationHtml).join('')}</section>`
}

function operationHtml({ method, path, operation }: Placed): Html {
  const { operationId, summary, parameters = [], requestBody, responses } = operation
  const since = operation['x-since'] === undefined ? '' : ` from ${escaped(operation['x-since'])} on`
  const until = operation['x-until'] === undefined ? '' : ` up to ${escaped(operation['x-until'])}`
  const extension = operation['x-extension'] === undefined ? '' : ` extension ${escaped(operation['x-extension'])}`
  return `<details id="${escaped(operationId)}"><summary><b class="${method.toLowerCase()}">${method}</b> ${code(path)} <span>${prose(summary)}</span><i>${since}${until}${extension}</i></summary>
${parametersHtml(parameters)}${requestBody === undefined ? '' : `<h4>Body</h4>${contentHtml(requestBody)}`}
<h4>Answers</h4><table>${Object.entries(responses)
    .map(
      ([status, answer]) =>
        `<tr><th>${escaped(status)}</th><td>${prose(answer.description)}${contentHtml(answer)}</td></tr>`,
    )
    .join('')}</table></details>
`
}

type Parameter = Readonly<Record<string, unknown>>

function parametersHtml(parameters: readonly Parameter[]): Html {
  const named = parameters.filter(({ name }) => name !== undefined)
  if (named.length === 0) return ''
  const rows = named.map(
    ({ name, in: place, required, description, schema }) =>
      `<tr><th>${code(name)}</th><td>${escaped(place)}${required === true ? ', needed' : ''}</td><td>${prose(description)}${schemaHtml(schema)}</td></tr>`,
  )
  return `<h4>Parameters</h4><table>${rows.join('')}</table>`
}

function contentHtml(holder: object): Html {
  const content: unknown = 'content' in holder ? holder.content : undefined
  if (typeof content !== 'object' || content === null) return ''
  return Object.entries(content)
    .map(([type, media]: [string, unknown]) => {
      const schema = typeof media === 'object' && media !== null && 'schema' in media ? media.schema : undefined
      return `${type === 'application/json' ? '' : code(type)}${schemaHtml(schema)}`
    })
    .join('')
}

function anchor(tag: string): string {
  return tag.replaceAll(/[^a-z]+/g, '-')
}
