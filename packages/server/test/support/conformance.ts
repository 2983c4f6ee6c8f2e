/**
 * Every answer that a test gets is held against the document of the API: route, microversion, status, content type and
 * each field. What is not documented fails the test that met it.
 */
import assert from 'node:assert/strict'
import { apiEndpoints } from '@zund/contract/api/endpoints/index.ts'
import { IDENTITY_ENDPOINTS } from '@zund/contract/api/endpoints/identity.ts'
import { SERVICE_DOCUMENTS, SERVICE_PAGES } from '@zund/contract/api/endpoints/service.ts'
import { USUAL_OPTIONS } from '@zund/contract/api/limits.ts'
import { openApiDocument, type OpenApiDocument, type Operation } from '@zund/contract/api/openapi.ts'
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js'
import { MAX_MINOR, MIN_MINOR, parseMicroversion } from '../../src/edge/api/microversion.ts'
import { normalisePath } from '../../src/edge/api/normalise-path.ts'

export interface SeenAnswer {
  readonly method: string
  /** Path and query. */
  readonly url: string
  /** The header of the request, `container 1.40`; undefined: there was none. */
  readonly version: string | undefined
  readonly status: number
  readonly contentType: string | undefined
  readonly location: string | undefined
  readonly text: string
}

const ENDPOINTS = [
  ...Object.values(SERVICE_DOCUMENTS),
  ...Object.values(SERVICE_PAGES),
  ...Object.values(apiEndpoints(USUAL_OPTIONS)),
  ...Object.values(IDENTITY_ENDPOINTS),
]

/** `hidden`: fields that a rule of the test's operator keeps from the caller. */
export function assertDocumented(
  answer: SeenAnswer,
  { hidden = [] }: { readonly hidden?: readonly string[] } = {},
): void {
  const { method, url, status } = answer
  if (method === 'HEAD' || method === 'OPTIONS') return
  const at = `${method} ${url.slice(0, 200)} ${answer.version ?? ''}: ${status}`
  const minor = minorOf(answer.version)
  const document = documented(minor ?? MAX_MINOR)
  const found = document.find(method, pathOf(url))
  // Nobody can ask for what is not there, or in a version that is not: that is refused, and how is documented too.
  const knowsVersions = found?.operation['security'] === undefined
  if (found === undefined || (minor === undefined && knowsVersions)) return assertRefusal(document, answer, at)
  const { path, operation } = found
  const response = operation.responses[status]
  assert.ok(
    response !== undefined,
    `${at} is not documented for ${operation.operationId}: ${answer.text.slice(0, 500)}`,
  )
  if (response.headers?.['Location'] !== undefined) assert.ok(answer.location, `${at} has no Location`)
  if (response.content === undefined) return assert.equal(answer.text, '', `${at} is documented without a body`)
  const type = (answer.contentType ?? '').split(';')[0] ?? ''
  assert.ok(response.content[type], `${at} is not documented as '${type}'`)
  if (type !== 'application/json') return
  const pointer = ['paths', path, method.toLowerCase(), 'responses', String(status), 'content', type, 'schema']
  document.check(pointer, JSON.parse(answer.text), at, hidden)
}

/** As `fetch`, for clients that let theirs be given: every answer is held against the document. */
export async function documentedFetch(...[input, init]: Parameters<typeof fetch>): Promise<Response> {
  const answer = await fetch(input, init)
  const { pathname, search } = new URL(input instanceof Request ? input.url : input)
  const header = (name: string): string | undefined => answer.headers.get(name) ?? undefined
  assertDocumented({
    method: init?.method ?? 'GET',
    url: `${pathname}${search}`,
    version: new Headers(init?.headers).get('openstack-api-version') ?? undefined,
    status: answer.status,
    contentType: header('content-type'),
    location: header('location'),
    // One that stays open is for whoever reads it.
    text: header('content-type')?.startsWith('application/json') === true ? await answer.clone().text() : '',
  })
  return answer
}

function assertRefusal(document: Documented, { status, text, contentType }: SeenAnswer, at: string): void {
  assert.ok(status >= 400, `${at} is documented nowhere: ${text.slice(0, 500)}`)
  assert.ok(contentType?.startsWith('application/json'), `${at} is '${contentType}'`)
  const name = status === 401 ? 'IdentityError' : 'Errors'
  document.check(['components', 'schemas', name], JSON.parse(text), at, [])
}

/** As it was sent: `.` and `..` do not leave a client. */
function pathOf(url: string): string {
  return URL.parse(`http://localhost${url}`)?.pathname ?? url.split('?')[0] ?? ''
}

/** undefined: not one that there is. */
function minorOf(header: string | undefined): number | undefined {
  try {
    return parseMicroversion(header)
  } catch {
    return undefined
  }
}

const documents = new Map<number, Documented>()

function documented(minor: number): Documented {
  const known = documents.get(minor)
  if (known !== undefined) return known
  const made = new Documented(openApiDocument(ENDPOINTS, { minor, minMinor: MIN_MINOR, maxMinor: MAX_MINOR }))
  documents.set(minor, made)
  return made
}

interface Template {
  readonly path: string
  readonly pattern: RegExp
}

class Documented {
  readonly #document: OpenApiDocument
  readonly #ajv = new Ajv2020({ strict: false, allErrors: true })
  /** What is fixed comes before what is not. */
  readonly #templates: readonly Template[]

  constructor(document: OpenApiDocument) {
    this.#document = document
    this.#ajv.addSchema(document, 'document')
    this.#templates = Object.keys(document.paths)
      .toSorted((a, b) => a.split('{').length - b.split('{').length || (a < b ? -1 : 1))
      .map((path) => ({ path, pattern: patternOf(path) }))
  }

  find(method: string, path: string): { readonly path: string; readonly operation: Operation } | undefined {
    const beside = this.#match(path.replace(/^\/container(?=\/(openapi|docs))/, '').replace(/(?<=.)\/$/, ''))
    const match = beside !== undefined && !beside.startsWith('/v1/') ? beside : this.#match(normalisePath(path))
    if (match === undefined) return undefined
    const operation = this.#document.paths[match]?.[method.toLowerCase()]
    return operation === undefined ? undefined : { path: match, operation }
  }

  #match(path: string): string | undefined {
    return this.#templates.find(({ pattern }) => pattern.test(path))?.path
  }

  check(pointer: readonly string[], value: unknown, at: string, hidden: readonly string[]): void {
    const validate = this.#validator(pointer)
    if (validate(value)) return
    const errors = (validate.errors ?? []).filter(
      ({ keyword, params }) => keyword !== 'required' || !hidden.includes(String(params['missingProperty'])),
    )
    if (errors.length === 0) return
    const faults = errors.map(
      ({ instancePath, message, params }) => `${instancePath} ${message} ${JSON.stringify(params)}`,
    )
    assert.fail(
      `${at} is not as documented: ${faults.slice(0, 5).join('; ')} in ${JSON.stringify(value).slice(0, 1_000)}`,
    )
  }

  #validator(pointer: readonly string[]): ValidateFunction {
    const fragment = pointer
      .map((part) => encodeURIComponent(part.replaceAll('~', '~0').replaceAll('/', '~1')))
      .join('/')
    const validate = this.#ajv.getSchema(`document#/${fragment}`)
    assert.ok(validate, `the document has no ${pointer.join(' ')}`)
    return validate
  }
}

/** Names of images may hold slashes. */
function patternOf(path: string): RegExp {
  const parts = path.split('/').map((part) => {
    if (!part.startsWith('{')) return part.replaceAll('.', '\\.')
    return path.endsWith('{name}/search') ? '.+' : '[^/]+'
  })
  return new RegExp(`^${parts.join('/')}$`)
}
