/** The OpenAPI 3.1 document of one microversion, made of the endpoints that requests are read with. */
import type { TSchema } from 'typebox'
import { describeField, describeFields, usableFields } from '../fields/read.ts'
import type { JsonSchema } from '../fields/field.ts'
import { isIn, type Answer, type Endpoint } from './endpoint.ts'
import { ErrorsSchema, IdentityErrorSchema } from './general.ts'

export interface OpenApiInfo {
  readonly minor: number
  readonly minMinor: number
  readonly maxMinor: number
}

export interface OpenApiDocument {
  readonly openapi: '3.1.0'
  readonly info: JsonSchema
  readonly servers: readonly JsonSchema[]
  readonly security: readonly JsonSchema[]
  readonly tags: readonly { readonly name: string }[]
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
  readonly components: {
    readonly schemas: Readonly<Record<string, JsonSchema>>
    readonly [section: string]: JsonSchema
  }
}

export interface Operation {
  readonly operationId: string
  readonly summary: string
  readonly tags: readonly string[]
  readonly parameters?: readonly JsonSchema[]
  readonly requestBody?: JsonSchema
  readonly responses: Readonly<Record<string, Response>>
  readonly [more: string]: unknown
}

interface Response {
  readonly description: string
  readonly headers?: JsonSchema
  readonly content?: Readonly<Record<string, { readonly schema: JsonSchema }>>
}

/** Of every call below /v1: a bad request, no token, a version or type that is not had, our own trouble. */
const USUAL_ERRORS = [400, 401, 406, 500, 503]
/** Of those with a body: it came too slowly, or is too long. */
const BODY_ERRORS = [408, 413]

const REASONS: Readonly<Record<number, string>> = {
  200: 'Done.',
  201: 'Made.',
  202: 'Accepted: the rest is done in the background.',
  204: 'Done; there is no body.',
  302: 'It is elsewhere.',
  400: 'The request is not as described; `title` says what is wrong with it.',
  401: 'No token, or none that is valid.',
  403: 'A rule, or a quota, does not allow it.',
  404: 'Not there, or of another project.',
  405: 'Never allowed.',
  406: 'Not in this version, or not as JSON.',
  408: 'The body did not come in time.',
  409: 'Not as things are: in use, in another status, or several of one name.',
  413: 'The body is too long.',
  415: 'The body is not of the type that is taken.',
  422: 'The Idempotency-Key was used for another request.',
  429: 'There are too many streams of the project.',
  500: 'A defect of the service; `detail` has a number that its log has too.',
  503: 'Something that is needed does not answer.',
}

export function openApiDocument(endpoints: readonly Endpoint[], info: OpenApiInfo): OpenApiDocument {
  const { minor, minMinor, maxMinor } = info
  const schemas = new Schemas()
  const paths: Record<string, Record<string, Operation>> = {}
  for (const endpoint of endpoints) {
    if (!isIn(endpoint, minor)) continue
    const item = (paths[documentedPath(endpoint)] ??= {})
    item[endpoint.method.toLowerCase()] = operation(endpoint, minor, schemas)
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'OpenStack Containers API',
      version: `1.${minor}`,
      description: `Microversion 1.${minor} of 1.${minMinor} to 1.${maxMinor}; \`/openapi.json?version=1.N\` is another one's.`,
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
      'x-min-version': `1.${minMinor}`,
      'x-max-version': `1.${maxMinor}`,
    },
    servers: [{ url: '/' }],
    security: [{ token: [] }],
    tags: [...new Set(endpoints.map(({ tag }) => tag))].map((name) => ({ name })),
    paths,
    components: {
      schemas: schemas.all(),
      parameters: { Version: versionParameter(minor) },
      securitySchemes: { token: { type: 'apiKey', in: 'header', name: 'X-Auth-Token' } },
    },
  }
}

/** `/v1/containers/{ident}` */
export function documentedPath({ path, documentedPath: shown }: Endpoint): string {
  return shown ?? path.replaceAll(/:([a-z]+)/g, '{$1}')
}

function versionParameter(minor: number): JsonSchema {
  return {
    name: 'OpenStack-API-Version',
    in: 'header',
    description: 'Absent: `container 1.1`.',
    schema: { type: 'string', const: `container 1.${minor}` },
  }
}

function operation(endpoint: Endpoint, minor: number, schemas: Schemas): Operation {
  const { id, summary, tag, extension, since, until } = endpoint
  const isPublic = !endpoint.path.startsWith('/v1/')
  const parameters = parametersOf(endpoint, minor, isPublic)
  const requestBody = requestBodyOf(endpoint, minor)
  return {
    operationId: id,
    summary,
    tags: [tag],
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(requestBody === undefined ? {} : { requestBody }),
    responses: responsesOf(endpoint, minor, schemas, isPublic),
    ...(isPublic ? { security: [] } : {}),
    ...(extension === undefined ? {} : { 'x-extension': extension }),
    ...(since === undefined ? {} : { 'x-since': `1.${since}` }),
    ...(until === undefined ? {} : { 'x-until': `1.${until}` }),
  }
}

function parametersOf(endpoint: Endpoint, minor: number, isPublic: boolean): JsonSchema[] {
  const needsQuery = endpoint.method === 'GET' || endpoint.queryOnly === true
  return [
    ...[...documentedPath(endpoint).matchAll(/\{([a-z]+)\}/g)].map(([, name]) => ({
      name,
      in: 'path',
      required: true,
      schema: { type: 'string' },
    })),
    ...usableFields(endpoint.args, minor).map(([name, field]) => {
      const { description, ...schema } = describeField({ ...field, refusesNull: '' }, minor)
      return {
        name,
        in: 'query',
        ...(description === undefined ? {} : { description }),
        // Where it may stand in the body in its place, that it is needed cannot be said here.
        ...(field.required !== undefined && needsQuery ? { required: true } : {}),
        schema,
      }
    }),
    ...Object.entries(endpoint.headers ?? {}).map(([name, field]) => ({
      name,
      in: 'header',
      ...(field.about === undefined ? {} : { description: field.about }),
      schema: field.schema(minor),
    })),
    ...(isPublic ? [] : [{ $ref: '#/components/parameters/Version' }]),
  ]
}

function requestBodyOf(endpoint: Endpoint, minor: number): JsonSchema | undefined {
  const { body, method, args, queryOnly, requiresJson, streams } = endpoint
  if (streams !== undefined) {
    return { required: true, content: content({ type: 'string', format: 'binary' }, streams) }
  }
  if (body !== undefined) {
    return { ...(requiresJson === true ? { required: true } : {}), content: content(describeFields(body, minor)) }
  }
  if (method === 'GET' || queryOnly === true || Object.keys(args).length === 0) return undefined
  const { required: _, additionalProperties: __, ...schema } = describeFields(args, minor)
  return { description: 'Arguments that do not stand in the query.', content: content(schema) }
}

function responsesOf(
  endpoint: Endpoint,
  minor: number,
  schemas: Schemas,
  isPublic: boolean,
): Readonly<Record<string, Response>> {
  const responses: Record<string, Response> = {}
  for (const answer of endpoint.answers) {
    if (isIn(answer, minor)) responses[answer.status] = success(answer, schemas, responses[answer.status])
  }
  for (const status of errorsOf(endpoint, isPublic)) {
    const schema = endpoint.errorSchema ?? (status === 401 ? IdentityErrorSchema : ErrorsSchema)
    responses[status] = { description: REASONS[status] ?? '', content: content(schemas.use(schema)) }
  }
  return responses
}

function errorsOf({ method, errors, requiresJson, streams }: Endpoint, isPublic: boolean): Set<number> {
  if (isPublic) return new Set([...errors, 400, 406])
  return new Set([
    ...errors,
    ...USUAL_ERRORS,
    ...(method === 'GET' ? [] : BODY_ERRORS),
    ...(requiresJson === true || streams !== undefined ? [415] : []),
  ])
}

/** Of one status there may be answers of several content types. */
function success({ status, schema, type, ...rest }: Answer, schemas: Schemas, before?: Response): Response {
  return {
    description: REASONS[status] ?? '',
    ...headersOf(rest),
    ...(schema === null ? {} : { content: { ...before?.content, ...content(schemas.use(schema), type) } }),
  }
}

function headersOf({ location, headers = {} }: Pick<Answer, 'location' | 'headers'>): {
  readonly headers?: JsonSchema
} {
  const text = { schema: { type: 'string' } }
  const all = {
    ...(location === true ? { Location: { required: true, ...text } } : {}),
    ...Object.fromEntries(Object.entries(headers).map(([name, description]) => [name, { description, ...text }])),
  }
  return Object.keys(all).length === 0 ? {} : { headers: all }
}

function content(schema: JsonSchema, type = 'application/json'): Required<Response>['content'] {
  return { [type]: { schema } }
}

/** Schemas with a name are told once, and referred to. */
class Schemas {
  readonly #named = new Map<string, JsonSchema>()

  use(schema: TSchema): JsonSchema {
    return this.#resolve(schema as JsonSchema)
  }

  #resolve(schema: JsonSchema): JsonSchema {
    const { $id: name, ...rest } = schema
    if (typeof name !== 'string') return this.#each(schema)
    if (!this.#named.has(name)) {
      this.#named.set(name, rest)
      this.#named.set(name, this.#each(rest))
    }
    return { $ref: `#/components/schemas/${name}` }
  }

  #each(schema: JsonSchema): JsonSchema {
    return Object.fromEntries(Object.entries(schema).map(([key, value]) => [key, this.#value(value)]))
  }

  #value(value: unknown): unknown {
    if (Array.isArray(value)) return value.map((one: unknown) => this.#value(one))
    return isSchema(value) ? this.#resolve(value) : value
  }

  all(): Record<string, JsonSchema> {
    return Object.fromEntries([...this.#named].toSorted(([a], [b]) => (a < b ? -1 : 1)))
  }
}

function isSchema(value: unknown): value is JsonSchema {
  return typeof value === 'object' && value !== null
}
