import { randomUUID } from 'node:crypto'
import type { Container, CreateContainer } from '@zund/client'
import type { Api } from '../api.ts'
import type { Command } from '../args/command.ts'
import { say } from '../context.ts'
import { EXIT, Failure } from '../failures.ts'
import { settled } from '../settle.ts'
import { bodyOf, CREATE_OPTIONS } from './create-options.ts'

export const create: Command = {
  name: 'create',
  about: 'Makes a container without starting it, and prints its uuid',
  operands: 'IMAGE [COMMAND...]',
  count: [1, Infinity],
  stopsAt: 1,
  options: {
    ...CREATE_OPTIONS,
    rm: { about: 'delete it when it ends' },
    'no-wait': { about: 'return when the request is accepted' },
  },
  run: async (args, context) => {
    const body = { ...bodyOf(args, context.env), ...(args.has('rm') ? { auto_remove: true } : {}) }
    const api = await context.api()
    const { uuid } = await make(api, body, false)
    if (!args.has('no-wait')) {
      const made = await settled(api, uuid, ['Created', 'Running', 'Stopped'], { signal: context.signal })
      if (made === null || made.status === 'Error') {
        throw new Failure(made?.status_reason ?? 'the container was deleted meanwhile')
      }
    }
    await say(context, uuid)
    return EXIT.ok
  },
}

export async function make(api: Api, body: CreateContainer, run: boolean): Promise<Container> {
  const headers = api.has('idempotency-key') ? { 'idempotency-key': randomUUID() } : {}
  return await api.call<Container>('POST', 'containers', { query: run ? { run: true } : {}, json: body, headers })
}
