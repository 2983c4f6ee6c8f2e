import type { Command } from '../args/command.ts'
import { forEach } from '../each.ts'
import { exitStatus } from './attach.ts'

export const wait: Command = {
  name: 'wait',
  about: 'Waits until containers end, and prints their exit statuses',
  operands: 'CONTAINER...',
  count: [1, 1000],
  completes: 'containers',
  options: {},
  run: async (args, context) => {
    const api = await context.api()
    return await forEach(context, args.operands, async (ident) => {
      return String(await exitStatus(api, context, await api.uuidOf(ident), null))
    })
  },
}
