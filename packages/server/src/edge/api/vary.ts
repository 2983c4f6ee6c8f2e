import type { FastifyReply } from 'fastify'

/** Says that the answer depends on this header of the request, beside those that were named before. */
export function varyBy(reply: FastifyReply, name: string): void {
  const named = String(reply.getHeader('vary') ?? '')
    .split(',')
    .map((one) => one.trim())
    .filter((one) => one !== '')
  reply.header('vary', [...new Set([...named, name])].join(', '))
}
