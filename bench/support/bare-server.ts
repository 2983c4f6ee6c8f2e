/**
 * The least a server can do: Fastify that sends given bytes, or stringifies the given object anew for each request. What
 * zund's answers are measured against. Arguments: a JSON file with { path: body }, and `bytes` or `stringify`.
 */
import { readFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import fastify from 'fastify'

const [file = '', how = 'bytes'] = process.argv.slice(2)
const bodies = JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>
const app = fastify({ logger: false })
for (const [path, body] of Object.entries(bodies)) {
  const text = JSON.stringify(body)
  app.get(path, (_request, reply) =>
    reply.header('content-type', 'application/json').send(how === 'bytes' ? text : JSON.stringify(body)),
  )
}
await app.listen({ host: '127.0.0.1', port: 0 })
console.log(JSON.stringify({ port: (app.server.address() as AddressInfo).port }))
process.once('SIGTERM', () => process.exit(0))
