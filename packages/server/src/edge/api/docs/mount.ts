/** The document of the API and its page: for everybody, without a token, whatever the microversion of the request. */
import type { Endpoint } from '@zund/contract/api/endpoint.ts'
import { SERVICE_DOCUMENTS, SERVICE_PAGES } from '@zund/contract/api/endpoints/service.ts'
import { openApiDocument, type OpenApiDocument } from '@zund/contract/api/openapi.ts'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { LRUCache } from 'lru-cache'
import { readArguments } from '../../../app/fields.ts'
import { MAX_MINOR, MIN_MINOR } from '../microversion.ts'
import { parseQuery, refuseUnknown } from '../query.ts'
import { PAGE_HEADERS, renderPage } from './page.ts'

/** Behind a web server the API may be had below `/container`. */
const PREFIXES = ['', '/container']

/** Texts that are kept; most ask for the newest. */
const MOST_KEPT = 8

export function mountDocs(app: FastifyInstance, endpoints: readonly Endpoint[]): void {
  const all = [...Object.values(SERVICE_DOCUMENTS), ...Object.values(SERVICE_PAGES), ...endpoints]
  const kept = new LRUCache<string, string>({ max: MOST_KEPT })
  const text = (kind: string, minor: number, make: (document: OpenApiDocument) => string): string => {
    const key = `${kind} ${minor}`
    const known = kept.get(key)
    if (known !== undefined) return known
    const made = make(openApiDocument(all, { minor, minMinor: MIN_MINOR, maxMinor: MAX_MINOR }))
    kept.set(key, made)
    return made
  }
  const document = async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> =>
    await reply.header('content-type', 'application/json').send(text('json', minorOf(request), JSON.stringify))
  const page = async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> =>
    await reply
      .headers(PAGE_HEADERS)
      .type('text/html; charset=utf-8')
      .send(text('html', minorOf(request), renderPage))
  for (const prefix of PREFIXES) {
    app.get(`${prefix}/openapi.json`, document)
    app.get(`${prefix}/docs`, page)
    // What is linked on the page is beside it.
    app.get(`${prefix}/docs/`, async (_, reply) => await reply.redirect('../docs'))
  }
}

function minorOf({ url }: FastifyRequest): number {
  const at = url.indexOf('?')
  const query = parseQuery(at < 0 ? '' : url.slice(at + 1))
  const { args } = SERVICE_DOCUMENTS.readOpenApi
  refuseUnknown(query, Object.keys(args))
  return readArguments(args, query, MAX_MINOR).version ?? MAX_MINOR
}
