import type { FastifyInstance, InjectOptions, LightMyRequestResponse } from 'fastify'
import { assertDocumented } from './conformance.ts'

/** A request to an API in this process; its answer is held against the document. */
export async function injected(
  app: FastifyInstance,
  request: Omit<InjectOptions, 'method'> & {
    readonly method: string
    readonly url: string
    readonly headers: Readonly<Record<string, string>>
  },
  options: { readonly hidden?: readonly string[] } = {},
): Promise<LightMyRequestResponse> {
  const answer = await app.inject({ ...request, method: request.method as 'GET' })
  const header = (name: string): string | undefined => {
    const value = answer.headers[name]
    return value === undefined ? undefined : String(value)
  }
  const seen = {
    method: request.method,
    url: request.url,
    version: request.headers['openstack-api-version'],
    status: answer.statusCode,
    contentType: header('content-type'),
    location: header('location'),
    text: answer.body,
  }
  assertDocumented(seen, options)
  return answer
}
